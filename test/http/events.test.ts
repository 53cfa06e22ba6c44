import assert from 'node:assert/strict'
import { readings, start } from '../engine/query/apps.ts'
import { servedApp } from './served.ts'

describe('changes over HTTP', () => {
  const served = servedApp()

  it('tells rows and their changes as events', async () => {
    const other = await served.running({ http: { port: 0 } })
    await other.send(readings(7))
    const response = await fetch(`${other.app.httpUrl}/api/stores/sums/changes?key=%22s1%22`)
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    let text = ''
    const decoder = new TextDecoder()
    const read = (async () => {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>)
        text += decoder.decode(chunk, { stream: true })
    })()
    await other.until(() => text.includes('"value":1,'))
    await other.send(readings(7, 7))
    await other.until(() => text.includes('"value":9,'))
    await other.app.close()
    // the connection goes with the app
    await read.catch(() => {})
    const events = text.split('\n').filter((line) => line.startsWith('data: '))
    assert.deepEqual(
      events.map((line) => JSON.parse(line.slice(6)) as unknown),
      [
        { key: 's1', value: 1, timestamp: start + 30_000 },
        { key: 's1', value: 9, timestamp: start + 8 * 30_000 },
      ],
    )
    for (const [path, status] of [
      ['sum/changes', 404],
      ['last/changes?prefix=%22a%22', 400],
      ['sums/changes?key=s1', 400],
      ['sums/changes?key=1&prefix=2', 400],
    ] as const)
      assert.equal((await served.get(`/api/stores/${path}`)).status, status)
  }).timeout(30_000)
})
