import assert from 'node:assert/strict'
import { embeddedBroker } from '../../../../src/index.ts'
import { compare } from '../../../examples/compare.ts'
import topology from '../children/joins.ts'
import { moduleUrl, read, runToEnd, type Sent, send } from '../run.ts'

const customer = (i: number) => `c${(i * i) % 17}`
const order = (i: number) => ({ customer: customer(i), shop: `s${i % 5}`, n: i })

const shops: Sent[] = Array.from({ length: 5 }, (_, i) => ({ key: `s${i}`, value: `city ${i}`, timestamp: i }))
const customers = (from: number, to: number): Sent[] =>
  range(from, to).map((i) => ({ key: customer(i), value: `name ${i}`, timestamp: 1000 + i }))
const orders = (from: number, to: number): Sent[] =>
  range(from, to).map((i) => ({ key: `o${i % 40}`, value: i % 11 === 0 ? null : order(i), timestamp: 1000 + i }))
const events = (from: number, to: number, step: number): Sent[] =>
  range(from, to).map((i) => ({ key: `k${i}`, value: order(i * step), timestamp: 1000 + i * step }))
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

async function fill(broker: ReturnType<typeof embeddedBroker>, from: number, to: number): Promise<void> {
  await send(broker, 'customers', customers(from, to))
  await send(broker, 'orders', orders(from, to))
  // the end of an input closes its windows: what came after it would be late
  if (to < 1000) return
  await send(broker, 'clicks', events(0, to, 2))
  await send(broker, 'views', events(0, to, 3))
}

describe('joins in an app', () => {
  it('give on several threads, stopped and started again, what one thread gives', async () => {
    const expected = embeddedBroker({ partitions: 3 })
    await send(expected, 'shops', shops)
    await fill(expected, 0, 1000)
    await runToEnd({ topology, broker: expected })

    const broker = embeddedBroker({ partitions: 3 })
    await send(broker, 'shops', shops)
    for (const [from, to, workers] of [
      [0, 600, 2],
      [600, 1000, 3],
    ] as const) {
      await fill(broker, from, to)
      await runToEnd({ topology: moduleUrl('joins'), workers, broker, checkpointInterval: '5ms' })
    }
    compare('named', 'last', await read(expected, 'named'), await read(broker, 'named'))
    compare('seen', 'multiset', await read(expected, 'seen'), await read(broker, 'seen'))
    compare('located', 'multiset', await read(expected, 'located'), await read(broker, 'located'))
    assert.equal((await read(broker, 'located')).length, 1000)
    assert.equal((await read(broker, 'clicked')).length, 1000)
    assert.ok((await read(broker, 'seen')).length > 1000)

    // the last result of an order is of its last row and of its customer's last name
    const names = new Map(customers(0, 1000).map(({ key, value }) => [key, value]))
    const last = new Map(orders(0, 1000).map(({ key, value }) => [key, value as ReturnType<typeof order> | null]))
    const found = new Map((await read(broker, 'named')).map(({ key, value }) => [key, value]))
    for (const [key, row] of last)
      assert.equal(found.get(key) ?? null, row === null ? null : `${row.n} ${names.get(row.customer)}`)
    await expected[Symbol.asyncDispose]()
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)
})
