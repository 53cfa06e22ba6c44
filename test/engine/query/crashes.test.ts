import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'
import type { Tick } from './fixtures/dying.ts'

const counters = ['a', 'b', 'c', 'd', 'e']

/** What a history of ticks does: counters to move, and what happens on the way. */
const histories = fc.array(
  fc.oneof(
    { arbitrary: fc.array(fc.constantFrom(...counters), { minLength: 1, maxLength: 100 }), weight: 4 },
    { arbitrary: fc.constant('worker ends' as const), weight: 1 },
    { arbitrary: fc.constant('app restarts' as const), weight: 1 },
  ),
  { minLength: 4, maxLength: 8 },
)

describe('reads while workers end and apps restart', () => {
  const directory = temporaryDirectories()

  it('never go back, show nothing that was not sent, and end with all that was', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const [dir, marks] = [directory(), directory()]
        const open = async () => {
          const broker = embeddedBroker({ dir, partitions: 2 }) as ReturnType<typeof embeddedBroker> & AsyncDisposable
          const topology = new URL('./fixtures/dying.ts', import.meta.url)
          const settings = { marks }
          const app = new StreamsApp({
            applicationId: 'dying',
            topology,
            workers: 2,
            settings,
            broker,
            checkpointInterval: '5ms',
          })
          await app.start()
          const producer = broker.producer('ticks', { key: serdes.string(), value: serdes.json<Tick>() })
          const close = async () => {
            await producer.close()
            await app.close()
            await broker[Symbol.asyncDispose]()
          }
          return { app, producer, close }
        }
        const sent = new Map(counters.map((name) => [name, 0]))
        const seen = new Map(counters.map((name) => [name, 0]))
        let running = await open()
        let restarting = false
        const look = async (): Promise<void> => {
          const counts = await running.app.store('counters').getMany(counters)
          for (const [i, name] of counters.entries()) {
            const n = (counts[i] as number | undefined) ?? 0
            assert.ok(n >= (seen.get(name) as number), `${name} was ${seen.get(name)} and is ${n}`)
            assert.ok(n <= (sent.get(name) as number), `${name} is ${n}, and ${sent.get(name)} were sent`)
            seen.set(name, n)
          }
        }
        let over = false
        // a test that has failed must not run on
        const patience = AbortSignal.timeout(100_000)
        const reader = (async () => {
          while (!over && !patience.aborted) {
            if (!restarting) await look()
            await setImmediate()
          }
        })()
        reader.catch(() => {})
        try {
          let ends = 0
          for (const one of history) {
            if (one === 'app restarts') {
              restarting = true
              await look()
              await running.close()
              running = await open()
              restarting = false
              continue
            }
            const ticks: Tick[] =
              one === 'worker ends' ? [{ counter: 'a', ends: String(ends++) }] : one.map((counter) => ({ counter }))
            for (const { counter } of ticks) sent.set(counter, (sent.get(counter) as number) + 1)
            await Promise.all(ticks.map((value, i) => running.producer.send({ key: String(i), value })))
            await look()
          }
          while (counters.some((name) => seen.get(name) !== sent.get(name))) {
            patience.throwIfAborted()
            await Promise.race([reader, setImmediate()])
          }
        } finally {
          over = true
          await running.close()
        }
        await reader
      }),
      { numRuns: Number(process.env['RUNS'] ?? 2) },
    )
  }).timeout(120_000)
})
