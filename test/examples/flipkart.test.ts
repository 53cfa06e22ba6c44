import { generate } from '../../examples/flipkart/generator.ts'
import topology from '../../examples/flipkart/topology.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'
import { compare } from './compare.ts'
import { flipkartModel, flipkartModes } from './flipkart-model.ts'

describe('the Flipkart job', () => {
  const events = [...generate({ seed: 3, count: 20_000, late: 0.03, disorder: 0.1 })]
  const expected = flipkartModel(events)

  for (const batchSize of [1, 1000]) {
    it(`gives the rows of its page, in batches of ${batchSize}`, () => {
      const driver = new TopologyTestDriver(topology, { batchSize, strict: batchSize === 1 })
      driver.input('flipkart-orders').sendAll(events.map((value) => ({ value })))
      driver.end()
      for (const [topic, mode] of Object.entries(flipkartModes)) {
        compare(topic, mode, expected[topic] ?? [], driver.output(topic).readAll())
      }
    }).timeout(60_000)
  }
})
