import assert from 'node:assert/strict'
import fc from 'fast-check'
import { partitionOf } from '../../../src/connectors/broker/partitioner.ts'
import { type Event, driverOptions, events, grow, growth } from '../../model/arbitraries.ts'
import { cut } from '../../model/cut.ts'
import { byEngine, byModel, resolved, type Results, type Step } from '../../model/run.ts'
import { isOrderless, orderlessSteps, summing } from '../../model/orderless.ts'
import { topologyOf } from '../../model/topology.ts'

const numRuns = Number(process.env['RUNS'] ?? 200)
const partitions = fc.integer({ min: 1, max: 4 })

/** By partition, as the driver sends them: null keys in turn. */
function apart(steps: readonly Step[], count: number): Step[][] {
  let turn = 0
  const parts = Array.from({ length: count }, (): Step[] => [])
  for (const step of steps) {
    if ('to' in step) for (const part of parts) part.push(step)
    else parts[step.key === null ? turn++ % count : partitionOf(Buffer.from(step.key), count)]?.push(step)
  }
  return parts
}

const sorted = (results: Results): object =>
  Object.fromEntries(
    Object.entries(results).map(([topic, rows]) => [topic, rows.map((row) => JSON.stringify(row)).sort()]),
  )

describe('the engine on several partitions', () => {
  it('is as many engines, where nothing is repartitioned', () => {
    fc.assert(
      fc.property(growth(), events, driverOptions, partitions, (genes, all, options, count) => {
        const shape = grow(genes)
        fc.pre(cut(shape).tasks.every(({ repartitions }) => repartitions.length === 0))
        const given = resolved(shape, all)
        const expected: Results = {}
        for (const part of apart(given, count))
          for (const [topic, rows] of Object.entries(byModel(shape, part).results))
            (expected[topic] ??= []).push(...rows)
        const { results } = byEngine(shape, topologyOf(shape), given, { ...options, partitions: count })
        assert.deepEqual(sorted(results), sorted(expected))
      }),
      { numRuns },
    )
  }).timeout(60_000)

  it('comes to the same rows as one, where the order of records makes no difference', () => {
    const tame = (all: readonly Event[]): Event[] =>
      all.map((event, i) => (event.kind === 'send' ? { ...event, timestamp: i } : event))
    fc.assert(
      fc.property(
        growth({ genes: orderlessSteps }),
        events.map(tame),
        driverOptions,
        partitions,
        (genes, all, options, count) => {
          const shape = summing(grow(genes))
          fc.pre(isOrderless(shape))
          const given = resolved(shape, all)
          const topology = topologyOf(shape)
          const { rows } = byEngine(shape, topology, given, { ...options, partitions: count })
          assert.deepEqual(rows, byEngine(shape, topology, given, options).rows)
        },
      ),
      { numRuns },
    )
  }).timeout(60_000)
})
