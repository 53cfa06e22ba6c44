import assert from 'node:assert/strict'
import { generate } from '../../examples/hotstar/generator.ts'
import topology from '../../examples/hotstar/topology.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'
import { compare } from './compare.ts'
import { hotstarModel, hotstarModes } from './hotstar-model.ts'

describe('the Hotstar job', () => {
  const events = [...generate({ seed: 3, count: 20_000, late: 0.03, disorder: 0.1 })]
  const expected = hotstarModel(events)

  it('has an input that makes every rule act', () => {
    for (const topic of Object.keys(hotstarModes)) assert.ok((expected[topic] ?? []).length > 0, topic)
    const types = new Set(expected['hotstar-alerts']?.map(({ value }) => (value as { type: string }).type))
    assert.deepEqual([...types].toSorted(), [
      'CDN_INVESTIGATE',
      'MILESTONE',
      'QUALITY_DROPS',
      'REGIONAL_OVERLOAD',
      'SCALE_ALERT',
    ])
  })

  for (const batchSize of [1, 1000]) {
    it(`gives the rows of its page, in batches of ${batchSize}`, () => {
      using driver = new TopologyTestDriver(topology, { batchSize, strict: batchSize === 1 })
      const input = driver.input('hotstar-events')
      input.sendAll(events.slice(0, 9000).map((value) => ({ value })))
      driver.checkpoint()
      driver.crash()
      input.sendAll(events.slice(9000).map((value) => ({ value })))
      driver.end()
      check(driver, expected)
    }).timeout(60_000)
  }

  it('gives them from four partitions, where no event is late', () => {
    const punctual = [...generate({ seed: 4, count: 10_000, late: 0 })]
    using driver = new TopologyTestDriver(topology, { partitions: 4, batchSize: 500 })
    driver.input('hotstar-events').sendAll(punctual.map((value) => ({ value })))
    driver.end()
    check(driver, hotstarModel(punctual))
  }).timeout(60_000)
})

function check(driver: TopologyTestDriver, expected: ReturnType<typeof hotstarModel>): void {
  for (const [topic, mode] of Object.entries(hotstarModes)) {
    compare(topic, mode, expected[topic] ?? [], driver.output(topic).readAll())
  }
}
