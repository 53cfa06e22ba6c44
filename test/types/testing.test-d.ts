/* oxlint-disable no-unused-expressions, no-unused-vars */
// biome-ignore-all format: an expected error speaks of the one line below it
/** What of `dhaara/testing` must compile. */
import type { Windowed } from '../../src/index.ts'
import { serdes, StreamsBuilder, stores } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'

interface Order { total: number; city: string }
const topology = new StreamsBuilder().build()
const spent = stores.keyValue('spent', { key: serdes.string(), value: serdes.number() })
// ---------------------------------------------------------------------- testing
const driver = new TopologyTestDriver(topology, { startTime: 0, partitions: 4, batchSize: 1, cacheBytes: 0, seed: 7 })
const input = driver.input<string, Order>('orders')
input.sendAll([{ value: null, key: 'c1', timestamp: 5 }])
const output = driver.output<Windowed<string>, { orders: number }>('trends')
output.readAll().map((r) => [r.key.window.start, r.value.orders, r.timestamp])
driver.input('payments').send({ orderId: 'o1', paid: 5 }, { key: 'o1', timestamp: 5 })
driver.store(spent).get('c1')?.toFixed()
const snapshot = driver.checkpoint()
driver.crash()
driver.advanceWatermark('orders', 100)
driver.end()
new TopologyTestDriver(topology, { restore: snapshot })
