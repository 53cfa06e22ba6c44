import assert from 'node:assert/strict'
import fc from 'fast-check'
import { events, growth, grow } from '../../model/arbitraries.ts'
import { byEngine, byModel, resolved } from '../../model/run.ts'
import { topologyOf } from '../../model/topology.ts'

describe('the engine, held to a model of every topology', () => {
  it('gives the same results in the same order, whatever the batches', () => {
    fc.assert(
      fc.property(growth(), events, fc.integer({ min: 1, max: 12 }), (genes, all, batchSize) => {
        const shape = grow(genes)
        const steps = resolved(shape, all)
        const expected = byModel(shape, steps)
        const found = byEngine(shape, topologyOf(shape), steps, { batchSize })
        assert.deepEqual(found.results, expected.results)
      }),
      { numRuns: Number(process.env['RUNS'] ?? 200) },
    )
  })
})
