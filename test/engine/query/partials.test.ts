import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'
import topology, { type Step } from './fixtures/patterns.ts'

const patience = 60_000
interface Shown {
  readonly pattern: string
  readonly start: number
  readonly events: Readonly<Record<string, readonly Step[]>>
}
const tell = (partials: unknown): string[] =>
  ((partials ?? []) as readonly Shown[]).map(({ pattern, start, events }) => {
    const spelt = Object.entries(events).map(([name, steps]) => `${name}:${steps.map((step) => step.at)}`)
    return `${pattern} ${start} ${spelt.join(' ')}`
  })

describe('stores of patterns', () => {
  const directory = temporaryDirectories()

  for (const workers of [0, 2]) {
    it(`show the partial matches of each key, with ${workers} workers`, async () => {
      await using broker = embeddedBroker({ dir: directory(), partitions: 2 })
      const url = new URL('./fixtures/patterns.ts', import.meta.url)
      const program = workers === 0 ? { topology } : { topology: url, workers }
      const http = { port: 0 }
      await using app = new StreamsApp({
        applicationId: 'orders',
        ...program,
        broker,
        checkpointInterval: '10ms',
        http,
      })
      await app.start()
      await using producer = broker.producer('steps', { key: serdes.json<number>(), value: serdes.json<Step>() })
      const steps: Step[] = [1, 12, 120, 2].map((order, i) => ({ order, kind: 'asked', at: 1000 + i }))
      steps.push({ order: 12, kind: 'paid', at: 2000 }, { order: 120, kind: 'asked', at: 2001 })
      // most of them begin apart from a matcher; another key's text begins with this one's
      for (let at = 2100; at < 2108; at++) steps.push({ order: 7, kind: 'sent', at }, { order: 77, kind: 'sent', at })
      // one of each partition that lets time pass
      for (let order = 1000; order < 1040; order++) steps.push({ order, kind: 'sent', at: 3000 })
      for (const value of steps) await producer.send({ key: value.order, value, timestamp: value.at })

      const [open, back] = [app.store('open'), app.store('sent')]
      const times = Array.from({ length: 8 }, (_, i) => ` ${2100 + i} sent:${2100 + i}`)
      // what comes last in each partition, for each key that is looked at
      const isThere = async (): Promise<boolean> => {
        const [due] = tell(await open.get(12))
        const counts = await Promise.all([7, 77].map(async (order) => tell(await back.get(order)).length))
        return (
          due === 'sent 2000 due:2000' &&
          counts.every((n) => n === times.length) &&
          tell(await open.get(120)).length === 2 &&
          (await open.count()) === 4
        )
      }
      const signal = AbortSignal.timeout(patience)
      while (!(await isThere())) {
        signal.throwIfAborted()
        await setImmediate()
      }
      for (const isolation of ['committed', 'latest'] as const) {
        assert.deepEqual(tell(await open.get(1, { isolation })), ['paid 1000 asked:1000'])
        assert.deepEqual(tell(await open.get(12, { isolation })), ['sent 2000 due:2000'])
        assert.equal(await open.get(3, { isolation }), undefined)
        const all = await open.all({ isolation }).toArray()
        const shown = new Map(all.map(([key, partials]) => [key, tell(partials)]))
        assert.deepEqual([...shown.keys()].toSorted(), [1, 12, 120, 2])
        assert.deepEqual(shown.get(120), ['paid 1002 asked:1002', 'paid 2001 asked:2001'])
        const backwards = await open.all({ isolation, reverse: true, limit: 2 }).toArray()
        assert.deepEqual(
          backwards.map(([key]) => key),
          all
            .map(([key]) => key)
            .toReversed()
            .slice(0, 2),
        )
        assert.equal(await open.count({ isolation }), 4)
      }
      for (const isolation of ['committed', 'latest'] as const) {
        for (const order of [7, 77]) assert.deepEqual(tell(await back.get(order, { isolation })), times)
        assert.equal((await back.all({ isolation }).toArray()).filter(([key]) => key === 7).length, 1)
      }
      const answer = await fetch(`${app.httpUrl}/api/stores/open/rows?limit=10`)
      const { rows } = (await answer.json()) as { rows: { key: number; value: unknown }[] }
      const served = new Map(rows.map(({ key, value }) => [key, tell(value)]))
      assert.deepEqual([...served.keys()].toSorted(), [1, 12, 120, 2])
      assert.deepEqual(served.get(12), ['sent 2000 due:2000'])
      await assert.rejects(open.subscribe(1)[Symbol.asyncIterator]().next(), { code: 'DHAARA_UNSUPPORTED' })
    })
  }
})
