import assert from 'node:assert/strict'
import { serdes, StreamsBuilder } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

describe('joins over partitions', () => {
  it('send records that change their key where the producers of the other topic send that key', () => {
    const builder = new StreamsBuilder()
    const text = serdes.string()
    const customers = builder.table('customers', { key: text, value: text })
    builder
      .stream('orders', { key: serdes.number(), value: text })
      .selectKey((customer) => customer)
      .leftJoin(customers, (order, name) => `${order}: ${name}`)
      .to('out', { key: text, value: text })
    using driver = new TopologyTestDriver(builder.build(), { partitions: 4 })
    const names = Array.from({ length: 40 }, (_, i) => `c${i}`)
    for (const name of names) driver.input('customers').send(name.toUpperCase(), { key: name })
    for (const [i, name] of names.entries()) driver.input('orders').send(name, { key: i })
    const found = driver.output<string, string>('out').readAll()
    assert.deepEqual(
      found.map(({ value }) => value).sort(),
      names.map((name) => `${name}: ${name.toUpperCase()}`).sort(),
    )
  })
})
