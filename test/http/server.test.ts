import assert from 'node:assert/strict'
import { request } from 'node:http'
import { servedApp } from './served.ts'

describe('the server of an app', () => {
  const served = servedApp()

  it('listens on this machine alone', () => assert.match(served.url, /^http:\/\/127\.0\.0\.1:\d+$/))

  it('does not answer to other names', async () => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    request(`${served.url}/api/stores`, { headers: { host: 'evil.example' } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).end()
    assert.equal(await promise, 403)
  })

  it('wants its token, where it has one', async () => {
    const other = await served.running({ http: { token: 'secret', port: 0 } })
    const at = other.app.httpUrl ?? ''
    const status = async (path: string, authorization?: string) =>
      (await fetch(at + path, { headers: authorization === undefined ? {} : { authorization } })).status
    assert.equal(await status('/api/stores'), 401)
    assert.equal(await status('/metrics'), 401)
    assert.equal(await status('/openapi.json', 'Bearer secre'), 401)
    assert.equal(await status('/api/stores', 'Basic secret'), 401)
    assert.equal(await status('/api/stores', 'Bearer secret'), 200)
    assert.equal(await status('/livez'), 200)
    await other.app.close()
    await assert.rejects(fetch(`${at}/livez`))
  })

  it('says where it cannot listen', async () => {
    const port = Number(new URL(served.url).port)
    await assert.rejects(served.running({ http: { port } }), {
      code: 'DHAARA_OPTION',
      message: /http cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    })
  })
})
