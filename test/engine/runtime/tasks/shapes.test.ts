import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import { partitionOf } from '../../../../src/connectors/broker/partitioner.ts'
import { type Event, events, grow, growth } from '../../../model/arbitraries.ts'
import { isOrderless, orderlessSteps, summing } from '../../../model/orderless.ts'
import { resolved, type Step, topicsIn, topicsOut } from '../../../model/run.ts'
import { isTable, type Shape, type ShapeNode } from '../../../model/shape.ts'
import { topologyOf } from '../../../model/topology.ts'
import { rowsOf } from '../../app/run.ts'
import { World, type WorldOptions } from './group-world.ts'
import { act, options, steps as schedules } from './schedules.ts'

const calm: WorldOptions = {
  workers: 1,
  partitions: 1,
  ringBytes: 1 << 20,
  creditBytes: 1 << 20,
  cacheBytes: 1 << 20,
  batchSize: 1000,
}

/** In the order of time, so that nothing is late. */
const tame = (all: readonly Event[]): Event[] =>
  all.map((event, i) => (event.kind === 'send' ? { ...event, timestamp: i } : event))

function worldOf(shape: Shape, steps: readonly Step[], given: WorldOptions): World {
  const world = new World(topologyOf(shape), given)
  for (const topic of topicsIn(shape)) {
    const { partitions } = world.log.createTopic(topic, given.partitions)
    const builders = Array.from({ length: partitions }, () => new FrameBuilder())
    const sent = steps.filter((step) => 'key' in step && step.topic === topic) as Extract<Step, { key: unknown }>[]
    for (const [i, { key, value, timestamp }] of sent.entries()) {
      const bytes = key === null ? null : Buffer.from(key)
      const to = bytes === null ? 0 : partitionOf(bytes, partitions)
      builders[to]?.add(bytes, value === null ? null : Buffer.from(JSON.stringify(value)), timestamp)
      if (i % 7 === 6) world.append(topic, builders)
    }
    world.append(topic, builders)
  }
  for (const topic of topicsOut(shape)) world.log.createTopic(topic, 1)
  world.start()
  return world
}

/** Of tables what is left in the end, of streams all. */
const outputsOf = (shape: Shape, { log }: World): object =>
  Object.fromEntries(
    topicsOut(shape).map((topic) => {
      const rows = rowsOf(log, topic).map(({ key, value }) => [String(key), JSON.stringify(value)] as const)
      const node = shape.nodes[Number(topic.slice(1))] as ShapeNode
      const left = () => [...new Map(rows)].filter(([, value]) => value !== 'null')
      return [topic, (isTable(node) || node.op === 'toStream' ? left() : rows).map((row) => row.join(' ')).sort()]
    }),
  )

describe('tasks of random topologies on several workers', () => {
  it('give what one thread gives, whatever the schedule, the crashes, the room in channels, caches and memory', () => {
    const inputs = fc.array(events, { minLength: 1, maxLength: 4 }).map((all) => tame(all.flat()))
    fc.assert(
      fc.property(growth({ genes: orderlessSteps }), inputs, options, schedules, (genes, all, given, acts) => {
        const shape = summing(grow(genes))
        fc.pre(isOrderless(shape))
        const steps = resolved(shape, all)
        const expected = worldOf(shape, steps, calm)
        assert.ok(expected.finish())
        const world = worldOf(shape, steps, given)
        for (const [i, { kind, worker }] of acts.entries())
          if (kind !== 'crash' || i % 4 === 3) act(world, kind, worker % given.workers)
        assert.ok(world.finish(), 'nothing moves, and the end is not written')
        assert.deepEqual(outputsOf(shape, world), outputsOf(shape, expected))
      }),
      // the limit is for the search of the smallest failure
      { numRuns: Number(process.env['RUNS'] ?? 100), interruptAfterTimeLimit: 60_000 },
    )
  }).timeout(120_000)
})
