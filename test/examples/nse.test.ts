import { generate } from '../../examples/nse/generator.ts'
import topology from '../../examples/nse/topology.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'
import { compare, type Row } from './compare.ts'
import { nseModel, nseModes } from './nse-model.ts'

describe('the NSE job', () => {
  const events = [...generate({ seed: 3, count: 20_000, late: 0.03, disorder: 0.1 })]
  const expected = nseModel(events)
  const check = (actual: (topic: string) => readonly Row[]) => {
    for (const [topic, mode] of Object.entries(nseModes)) compare(topic, mode, expected[topic] ?? [], actual(topic))
  }
  const records = (some: typeof events) => some.map((value) => ({ value }))

  for (const batchSize of [1, 1000]) {
    it(`gives the rows of its page, in batches of ${batchSize}`, () => {
      const driver = new TopologyTestDriver(topology, { batchSize, strict: batchSize === 1 })
      driver.input('nse-events').sendAll(records(events))
      driver.end()
      check((topic) => driver.output(topic).readAll())
    }).timeout(60_000)
  }

  for (const cacheBytes of [0, 1e8]) {
    it(`gives them through crashes and restores, with ${cacheBytes} bytes of cache`, () => {
      const options = { batchSize: 100, strict: false, cacheBytes }
      const rows: Record<string, Row[]> = {}
      const read = () => {
        for (const topic of Object.keys(nseModes)) (rows[topic] ??= []).push(...driver.output(topic).readAll())
      }
      let driver = new TopologyTestDriver(topology, options)
      for (let from = 0; from < events.length; from += 2000) {
        const next = records(events.slice(from, from + 1000))
        const rest = records(events.slice(from + 1000, from + 2000))
        driver.input('nse-events').sendAll(next)
        const restore = driver.checkpoint()
        read()
        driver.input('nse-events').sendAll(rest)
        driver.crash()
        if (from % 4000 === 0) driver = new TopologyTestDriver(topology, { ...options, restore })
        driver.input('nse-events').sendAll(rest)
      }
      driver.end()
      read()
      check((topic) => rows[topic] ?? [])
    }).timeout(60_000)
  }

  it('gives the same in several partitions, where no event is late', () => {
    const punctual = [...generate({ seed: 4, count: 10_000, late: 0, disorder: 0.2 })]
    const rows = nseModel(punctual)
    const driver = new TopologyTestDriver(topology, { partitions: 4, batchSize: 50, strict: false })
    driver.input('nse-events').sendAll(punctual.map((value) => ({ value, key: value.symbol })))
    driver.end()
    for (const [topic, mode] of Object.entries(nseModes))
      compare(topic, mode, rows[topic] ?? [], driver.output(topic).readAll())
  }).timeout(60_000)
})
