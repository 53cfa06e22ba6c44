import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedBroker, serdes, StreamsApp } from '../../src/index.ts'
import { moduleUrl } from '../engine/app/run.ts'

type Read = ReadonlyMap<string, number>

/** Counters of steps and of the app, by name and labels. */
async function counters(url: string): Promise<Read> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.matchAll(/^(dhaara_(?:step|records|store_cache)\w*_total\{[^}]*\}) (\S+)$/gm)
  return new Map(Array.from(lines, ([, name, value]) => [name as string, Number(value)]))
}

describe('metrics of workers over HTTP', () => {
  let dir = ''
  before(async () => (dir = await mkdtemp(join(tmpdir(), 'dhaara-mortal-'))))
  after(() => rm(dir, { recursive: true }))

  it('never fall, also where a worker dies and all begin anew', async () => {
    const broker = embeddedBroker({ partitions: 4 })
    await using app = new StreamsApp({
      applicationId: 'mortal',
      topology: moduleUrl('mortal'),
      workers: 2,
      settings: { dir },
      broker,
      checkpointInterval: '20ms',
      http: { port: 0 },
    })
    await app.start()
    const url = app.httpUrl as string
    await using producer = broker.producer('orders', { key: serdes.string(), value: serdes.json<number>() })
    const send = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) void producer.send({ key: `k${i % 50}`, value: i })
      await producer.flush()
    }
    const came = 'dhaara_step_in_total{step="orders",app="mortal"}'
    let last: Read = new Map()
    const look = async (): Promise<Read> => {
      const now = await counters(url)
      for (const [name, n] of last) assert.ok((now.get(name) ?? 0) >= n, `${name} fell from ${n} to ${now.get(name)}`)
      last = now
      return now
    }
    await send(0, 2000)
    while (((await look()).get(came) ?? 0) < 2000) await new Promise((resolve) => setTimeout(resolve, 20))
    await producer.send({ key: 'death', value: -1 })
    await send(2000, 2500)
    while (((await look()).get(came) ?? 0) < 2500) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(existsSync(join(dir, 'died')))
    const { recordsIn = 0 } = app.metrics()
    assert.ok(recordsIn >= 2000)
  }).timeout(60_000)
})
