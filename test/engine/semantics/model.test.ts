import assert from 'node:assert/strict'
import fc from 'fast-check'
import { driverOptions, events, faults, grow, growth } from '../../model/arbitraries.ts'
import { byEngine, byFaultyEngine, byModel, resolved } from '../../model/run.ts'
import { topologyOf } from '../../model/topology.ts'

// a long run: RUNS=20000 npx mocha test/engine/semantics/model.test.ts
const numRuns = Number(process.env['RUNS'] ?? 400)
const long = 20_000 + numRuns * 20

describe('the engine, held to a model of random topologies', () => {
  it('gives the same results in the same order and keeps the same rows, whatever the batches', () => {
    fc.assert(
      fc.property(growth(), events, driverOptions, (genes, all, options) => {
        const shape = grow(genes)
        const steps = resolved(shape, all)
        const { results, rows } = byModel(shape, steps)
        assert.deepEqual(byEngine(shape, topologyOf(shape), steps, options), { results, rows })
      }),
      { numRuns },
    )
  }).timeout(long)

  it('gives them through checkpoints, crashes, and restores into new drivers', () => {
    fc.assert(
      fc.property(growth(), events, faults, fc.array(driverOptions, { minLength: 1, maxLength: 3 }), (...given) => {
        const [genes, all, befalls, options] = given
        const shape = grow(genes)
        const steps = resolved(shape, all)
        const { results, rows } = byModel(shape, steps)
        assert.deepEqual(byFaultyEngine(shape, topologyOf(shape), steps, befalls, options), { results, rows })
      }),
      { numRuns },
    )
  }).timeout(long)

  it('gives the same generated and interpreted', () => {
    fc.assert(
      fc.property(growth(), events, driverOptions, (genes, all, options) => {
        const shape = grow(genes)
        const steps = resolved(shape, all)
        const topology = topologyOf(shape)
        const generated = byEngine(shape, topology, steps, { ...options, codegen: true })
        assert.deepEqual(generated, byEngine(shape, topology, steps, { ...options, codegen: false }))
      }),
      { numRuns },
    )
  }).timeout(long)
})
