import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'

describe('http: pages of one’s own', () => {
  let folder = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dhaara-pages-'))
    mkdirSync(join(folder, 'page/assets'), { recursive: true })
    writeFileSync(join(folder, 'page/index.html'), '<h1>mine</h1>')
    writeFileSync(join(folder, 'page/assets/app.js'), 'export {}')
    writeFileSync(join(folder, 'secret.html'), 'secret')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const start = async (http: object) => {
    const builder = new StreamsBuilder()
    builder.stream('in', { value: serdes.string() }).to('out', { value: serdes.string() })
    const app = new StreamsApp({
      applicationId: 'paged',
      topology: builder.build(),
      broker: embeddedBroker(),
      http: { port: 0, ...http },
    })
    await app.start()
    return app
  }

  it('are served from their folder, and nothing beside it is', async () => {
    await using app = await start({ pages: { mine: pathToFileURL(join(folder, 'page')) } })
    const get = (path: string) => fetch(`${app.httpUrl}${path}`)
    const page = await get('/pages/mine/')
    assert.equal(await page.text(), '<h1>mine</h1>')
    assert.match(page.headers.get('content-security-policy') ?? '', /connect-src 'self'/)
    assert.equal((await get('/pages/mine')).url, `${app.httpUrl}/pages/mine/`)
    assert.equal((await get('/pages/mine/assets/app.js')).headers.get('content-type'), 'text/javascript; charset=utf-8')
    for (const path of [
      '/pages/mine/..%2fsecret.html',
      '/pages/mine/assets/..%2f..%2fsecret.html',
      '/pages/mine/%2e%2e/secret.html',
      '/pages/other/',
      '/pages/__proto__/',
      '/pages/mine/none.html',
    ])
      assert.equal((await get(path)).status, 404, path)
    assert.deepEqual(((await (await get('/api/app')).json()) as { pages: string[] }).pages, ['mine'])
  })

  it('need no token, but what they ask does', async () => {
    await using app = await start({ token: 'secret', pages: { mine: join(folder, 'page') } })
    assert.equal((await fetch(`${app.httpUrl}/pages/mine/`)).status, 200)
    assert.equal((await fetch(`${app.httpUrl}/api/app`)).status, 401)
  })

  it('are refused where there is no index.html, or no name that an address can have', async () => {
    await assert.rejects(start({ pages: { mine: folder } }), { code: 'DHAARA_OPTION', message: /no index\.html/ })
    await assert.rejects(start({ pages: { 'a/b': join(folder, 'page') } }), { code: 'DHAARA_OPTION' })
  })
})
