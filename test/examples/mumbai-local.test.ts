import { generate } from '../../examples/mumbai-local/generator.ts'
import topology from '../../examples/mumbai-local/topology.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'
import { compare } from './compare.ts'
import { mumbaiLocalModel, mumbaiLocalModes } from './mumbai-local-model.ts'

describe('the job of Mumbai local trains', () => {
  const input = generate({ seed: 3, count: 20_000, late: 0.03, disorder: 0.1 })
  const [taps, trains] = [[...input.taps], [...input.trains]]
  const expected = mumbaiLocalModel(taps, trains)

  for (const batchSize of [1, 1000]) {
    it(`gives the rows of its page, in batches of ${batchSize}`, () => {
      const driver = new TopologyTestDriver(topology, { batchSize, strict: batchSize === 1 })
      driver.input('local-taps').sendAll(taps.map((value) => ({ value })))
      driver.input('local-trains').sendAll(trains.map((value) => ({ value })))
      driver.end()
      for (const [topic, mode] of Object.entries(mumbaiLocalModes)) {
        compare(topic, mode, expected[topic] ?? [], driver.output(topic).readAll())
      }
    }).timeout(60_000)
  }
})
