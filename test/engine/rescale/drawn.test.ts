import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { restoreSavepoint } from '../../../src/engine/app/state/savepoint.ts'
import { embeddedBroker } from '../../../src/index.ts'
import { read, type Row, send } from '../app/run.ts'
import { cases, keySerdes } from './topologies.ts'
import { type Broker, records, savepointOf, texts, toTheEnd } from './world.ts'

/** Where a job goes on: with so many partitions, in a directory or in memory, after so many of the records. */
const leg = fc.record({ partitions: fc.integer({ min: 1, max: 5 }), disk: fc.boolean(), until: fc.nat(120) })
const journey = fc.record({
  name: fc.constantFrom(...Object.keys(cases).filter((name) => cases[name]?.first === undefined)),
  seed: fc.nat(1_000_000),
  legs: fc.array(leg, { minLength: 1, maxLength: 3 }).map((all) => all.toSorted((a, b) => a.until - b.until)),
  last: leg,
})

describe('a job that goes on from savepoints, wherever and whenever they were made', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dhaara-drawn-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  let folders = 0

  it('gives the rows of one that was never stopped', async () => {
    await fc.assert(
      fc.asyncProperty(journey, async ({ name, seed, legs, last }) => {
        const one = cases[name]!
        const brokers: Broker[] = []
        const brokerOf = ({ partitions, disk }: typeof last): Broker => {
          const dir = disk ? { dir: join(folder, `data-${++folders}`) } : {}
          const broker = embeddedBroker({ ...dir, partitions })
          brokers.push(broker)
          return broker
        }
        const feed = async (broker: Broker, from: number, to: number): Promise<void> => {
          for (const [i, topic] of one.inputs.entries())
            await send(broker, topic, records(seed + 7 * i).slice(from, to))
        }
        const rowsOf = (broker: Broker): Promise<Row[]> => read(broker, 'out', keySerdes[one.keys])
        try {
          const whole = brokerOf({ ...last, disk: false })
          await feed(whole, 0, 120)
          await toTheEnd(one.topology(), whole)

          const found: Row[] = []
          let path: string | undefined
          let done = 0
          for (const { until, ...where } of [...legs, { ...last, until: 120 }]) {
            const broker = brokerOf({ ...where, until })
            // its topics begin with what has come since
            if (path !== undefined) {
              const lease = await openEmbedded(broker)
              await restoreSavepoint(lease.backend, 'test', path, 'start')
              await lease.release()
            }
            await feed(broker, done, until)
            done = until
            path = join(folder, `savepoint-${++folders}`)
            if (brokers.length < legs.length + 2) await savepointOf(one, broker, path)
            else await toTheEnd(one.topology(), broker)
            found.push(...(await rowsOf(broker)))
          }
          assert.deepEqual(texts(found, one.last ?? false), texts(await rowsOf(whole), one.last ?? false))
        } finally {
          for (const broker of brokers) await broker[Symbol.asyncDispose]()
        }
      }),
      { numRuns: Number(process.env['RUNS'] ?? 25), interruptAfterTimeLimit: 100_000 },
    )
  }).timeout(120_000)
})
