import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import type { LogReader } from '../../../../src/connectors/broker/log-reader.ts'
import type { SourceRecord } from '../../../../src/engine/runtime/record.ts'
import { serdes, StreamsBuilder } from '../../../../src/index.ts'
import { World } from '../tasks/group-world.ts'

interface Order {
  readonly id: number
  readonly city: number
  readonly shop: number
}

const count = 120
const failing = (id: number) => id % 3 === 0

/** Two topics, two repartitions, a table between them; `seen` is asked for each value behind them. */
function topology(seen: (id: number) => void) {
  const json = { key: serdes.string(), value: serdes.json<Order>() }
  const builder = new StreamsBuilder()
  builder
    .stream('a', json)
    .merge(builder.stream('b', json))
    .selectKey((o) => `${o.city}`, json)
    .groupByKey()
    .reduce((_, o) => o)
    .toStream()
    .selectKey((o) => `${o.shop}`, json)
    .repartition()
    .mapValues((o) => {
      seen(o.id)
      if (failing(o.id)) throw new RangeError(`no ${o.id}`)
      return o
    })
    .to('out', json)
  return builder.build()
}

describe('the source of a record behind repartitions', () => {
  it('is told exactly, whatever the schedule, the threads, the crashes', () => {
    const step = fc.record({
      kind: fc.constantFrom('run', 'run', 'run', 'open', 'obey', 'obey', 'handOver', 'handOver', 'write', 'crash'),
      worker: fc.nat(2),
    })
    const shape = fc.record({
      workers: fc.integer({ min: 1, max: 3 }),
      partitions: fc.integer({ min: 1, max: 3 }),
      batchSize: fc.integer({ min: 1, max: 40 }),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(shape, fc.array(step, { maxLength: 80, size: 'max' }), ({ seed, ...shaped }, steps) => {
        const told: [id: number, source: SourceRecord | undefined, message: string][] = []
        let at = -1
        const world = new World(
          topology((id) => {
            at = id
          }),
          {
            ...shaped,
            ringBytes: 4096,
            creditBytes: 300,
            cacheBytes: 2000,
            onUserError: (error, rec) => {
              told.push([at, rec.source, error.message])
              return 'skip'
            },
          },
        )
        const { log } = world
        for (const topic of ['a', 'b']) {
          log.createTopic(topic, shaped.partitions)
          const builders = Array.from({ length: shaped.partitions }, () => new FrameBuilder())
          for (let i = 0; i < count; i++) {
            const id = topic === 'a' ? i : count + i
            const order: Order = { id, city: (i * 7 + seed) % 5, shop: (i * 3 + seed) % 4 }
            builders[(i + seed) % shaped.partitions]?.add(
              Buffer.from('k'),
              Buffer.from(JSON.stringify(order)),
              1000 + i,
            )
          }
          world.append(topic, builders)
        }
        log.createTopic('out', 1)
        world.start()
        for (const { kind, worker } of steps) {
          const w = worker % shaped.workers
          if (kind === 'open' || kind === 'write' || kind === 'crash') world[kind]()
          else world[kind](w)
        }
        assert.ok(world.finish())
        const ids = new Set<number>()
        for (const [id, source, message] of told) {
          ids.add(id)
          assert.ok(source !== undefined, message)
          assert.equal(idAt(log, source), id)
          assert.match(
            message,
            new RegExp(
              `threw at ${source.topic}\\[${source.partition}\\] offset ${source.offset}, by way of \\S+\\[\\d\\]: RangeError: no ${id}$`,
            ),
          )
        }
        assert.equal(ids.size, Array.from({ length: 2 * count }, (_, id) => id).filter(failing).length)
      }),
      { numRuns: Number(process.env['RUNS'] ?? 60), interruptAfterTimeLimit: 60_000 },
    )
  }).timeout(120_000)
})

/** Which order lies there. */
function idAt(log: LogReader, { topic, partition, offset }: SourceRecord): number {
  const batch = log.fetch(topic, partition, offset, 1)
  assert.ok(batch !== undefined)
  const i = batch.offsets.indexOf(offset)
  return (JSON.parse(batch.data.toString('utf8', batch.valueStart[i], batch.valueEnd[i])) as Order).id
}
