import assert from 'node:assert/strict'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import type { EmbeddedLog } from '../../../../src/connectors/embedded/log.ts'
import { StoreIds } from '../../../../src/engine/app/state/identity.ts'
import { embeddedBroker } from '../../../../src/index.ts'
import { after, statePrefix } from '../../../../src/state/stores/index.ts'
import topology from '../children/global.ts'
import { moduleUrl, read, runToEnd, send } from '../run.ts'

const partitions = 3
const shops = 5

type Broker = ReturnType<typeof embeddedBroker>

/** Rows of the global table by the partition of the task that keeps them. */
async function copies(broker: Broker): Promise<number[]> {
  const { backend, release } = await openEmbedded(broker)
  const id = new StoreIds(backend, 'test').find('shops') as number
  const counts = Array.from({ length: partitions }, (_, partition) => {
    const gte = statePrefix(id, partition)
    return [...backend.range({ gte, lt: after(gte) })].length
  })
  await release()
  return counts
}

/** Nothing is left of what topics held. */
async function trim(broker: Broker, time: number): Promise<void> {
  const { log, release } = await openEmbedded(broker)
  while ((log as EmbeddedLog).maintain(time));
  await release()
}

describe('a global table', () => {
  it('lies once in each worker, whatever their number was before, and though its topic is gone', async () => {
    await using broker = embeddedBroker({ partitions, retention: '30d' })
    const cities = new Map<string, string>()
    let sent = 0
    for (const [workers, expected] of [
      [undefined, [5, 0, 0]],
      [3, [5, 5, 5]],
      [2, [5, 5, 0]],
    ] as const) {
      // a shop moves; those that did not are known by what was read before
      for (let i = sent === 0 ? 0 : shops - 1; i < shops; i++) cities.set(`s${i}`, `city ${sent + i}`)
      const moved = [...cities].slice(sent === 0 ? 0 : shops - 1)
      await send(
        broker,
        'shops',
        moved.map(([key, value], i) => ({ key, value, timestamp: sent + i })),
      )
      const orders = Array.from({ length: 40 }, (_, i) => ({
        key: `o${i}`,
        value: `s${i % shops}`,
        timestamp: sent + i,
      }))
      await send(broker, 'orders', orders)
      const program = workers === undefined ? { topology } : { topology: moduleUrl('global'), workers }
      await runToEnd({ ...program, broker, checkpointInterval: '5ms' })
      const found = (await read(broker, 'located')).map(({ key, value }) => [key, value])
      const wanted = orders.map(({ key, value }) => [key, `${value} ${cities.get(value)}`])
      assert.deepEqual(found.sort(), wanted.sort())
      assert.deepEqual(await copies(broker), expected)
      sent += 40
      await trim(broker, Date.now() + sent * 1e9)
    }
  }).timeout(60_000)
})
