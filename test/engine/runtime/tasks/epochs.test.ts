import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import { partitionOf } from '../../../../src/connectors/broker/partitioner.ts'
import { assertEqual, expectedOf, modes, type Outputs } from '../../../crash/expected.ts'
import topology from '../../../crash/job.ts'
import { customerAt, customers, orderAt } from '../../../crash/orders.ts'
import { rowsOf, type Sent } from '../../app/run.ts'
import { World, type WorldOptions } from './group-world.ts'
import { act, options, steps as schedule } from './schedules.ts'

const sent: Readonly<Record<string, readonly Sent[]>> = {
  customers: Array.from({ length: customers }, (_, i) => customerAt(i)),
  // 40 s of orders
  orders: Array.from({ length: 400 }, (_, i) => orderAt(2, i * 10)),
}

describe('groups of tasks on several workers', () => {
  let expected: Outputs

  before(async () => {
    expected = await expectedOf(sent)
  })

  it('give what one gives, whatever the schedule, the crashes, the room in channels, caches and memory', () => {
    fc.assert(
      fc.property(options, schedule, (given, steps) => {
        const world = worldOf(given)
        let crashes = 0
        for (const { kind, worker } of steps) {
          // one in four of them: a run that crashes all the time gets nowhere
          if (kind === 'crash' && crashes++ % 4 !== 3) continue
          act(world, kind, worker % given.workers)
        }
        assert.ok(world.finish(), 'nothing moves, and the end is not written')
        assertEqual(outputsOf(world), expected)
      }),
      // the limit is for the search of the smallest failure
      { numRuns: Number(process.env['RUNS'] ?? 60), interruptAfterTimeLimit: 60_000 },
    )
  }).timeout(120_000)
})

function worldOf(given: WorldOptions): World {
  const world = new World(topology, given)
  const { log } = world
  for (const [topic, records] of Object.entries(sent)) {
    const { partitions } = log.createTopic(topic, given.partitions)
    const builders = Array.from({ length: partitions }, () => new FrameBuilder())
    for (const [i, { key, value, timestamp }] of records.entries()) {
      const bytes = Buffer.from(key)
      builders[partitionOf(bytes, partitions)]?.add(bytes, Buffer.from(JSON.stringify(value)), timestamp)
      if (i % 20 === 19 || i === records.length - 1) world.append(topic, builders)
    }
  }
  for (const topic of Object.keys(modes)) log.createTopic(topic, 1)
  world.start()
  return world
}

const outputsOf = ({ log }: World): Outputs =>
  new Map(Object.keys(modes).map((topic) => [topic, rowsOf(log, topic)] as const))
