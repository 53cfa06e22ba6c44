import assert from 'node:assert/strict'
import {
  type AppOptions,
  embeddedBroker,
  type Serde,
  serdes,
  StreamsBuilder,
  type Topology,
} from '../../../../src/index.ts'
import { read, runToEnd, type Sent, send } from '../run.ts'

const key = serdes.string()
const json = serdes.json<number>()
const out = { key, value: serdes.json() }
type Broker = ReturnType<typeof embeddedBroker>

const source = (builder: StreamsBuilder, topic = 'orders') =>
  builder.stream(topic, { key, value: json, nullKeys: 'drop' })
const built = (make: (builder: StreamsBuilder) => void): Topology => {
  const builder = new StreamsBuilder()
  make(builder)
  return builder.build()
}

const orders = (from: number, to: number): Sent[] =>
  Array.from({ length: to - from }, (_, i) => ({
    key: `k${(from + i) % 3}`,
    value: from + i,
    timestamp: 1000 + from + i,
  }))

/** Runs each version over the orders that have come since the one before. */
async function versions(broker: Broker, ...all: (Topology | [Topology, Partial<AppOptions>])[]): Promise<void> {
  for (const [i, one] of all.entries()) {
    await send(broker, 'orders', orders(i * 30, i * 30 + 30))
    const [topology, options] = Array.isArray(one) ? one : [one, {}]
    await runToEnd({ topology, broker, ...options })
  }
}

/** The last count of each key. */
async function counts(broker: Broker, topic = 'counts'): Promise<Record<string, unknown>> {
  return Object.fromEntries((await read(broker, topic)).map(({ key: k, value }) => [k, value]))
}

const counting = (store: string | undefined) =>
  built((builder) =>
    source(builder)
      .groupByKey()
      .count(store === undefined ? {} : { store })
      .toStream()
      .to('counts', out),
  )

describe('a new version of a topology', () => {
  it('keeps the state of what kept its name, whatever is put around it', async () => {
    const broker = embeddedBroker()
    await send(broker, 'refunds', [{ key: 'k0', value: 1, timestamp: 1 }])
    const later = built((builder) => {
      const stream = source(builder)
        .filter(() => true)
        .mapValues((n) => n + 1)
      // an input more: the task that counts has another name now
      const refunds = builder.table('refunds', { key, value: json })
      stream.leftJoin(refunds, (n, refund) => n - (refund ?? 0)).to('nets', out)
      stream
        .peek(() => {})
        .groupByKey()
        .count({ store: 'counts' })
        .toStream()
        .to('counts', out)
      stream
        .groupByKey()
        .reduce((a, b) => a + b)
        .toStream()
        .to('sums', out)
    })
    const back = versions(broker, counting('counts'), later, counting('counts'))
    await assert.rejects(back, {
      code: 'DHAARA_STATE_INCOMPATIBLE',
      message: /store '.*reduce.*' \(keyValue\) is gone.*allowNonRestoredState/,
    })
    assert.deepEqual(await counts(broker), { k0: 20, k1: 20, k2: 20 })
    assert.equal((await read(broker, 'nets')).length, 30)
    await runToEnd({ topology: counting('counts'), broker, allowNonRestoredState: true })
    assert.deepEqual(await counts(broker), { k0: 30, k1: 30, k2: 30 })
    // what was dropped begins anew
    await send(broker, 'orders', orders(90, 93))
    await runToEnd({ topology: later, broker })
    assert.deepEqual(await counts(broker), { k0: 31, k1: 31, k2: 31 })
    assert.deepEqual(await counts(broker, 'sums'), { k0: 91, k1: 92, k2: 93 })
    await broker[Symbol.asyncDispose]()
  })

  it('takes the state of a store that it calls by another name', async () => {
    const broker = embeddedBroker()
    await versions(
      broker,
      counting('old'),
      [counting('new'), { renames: { old: 'new' } }],
      [counting('new'), { renames: { old: 'new' } }],
    )
    assert.deepEqual(await counts(broker), { k0: 30, k1: 30, k2: 30 })
    await assert.rejects(runToEnd({ topology: counting('newer'), broker }), {
      code: 'DHAARA_STATE_INCOMPATIBLE',
      message: /store 'new' \(keyValue\) is gone.*renames: \{old: new\}/,
    })
    await broker[Symbol.asyncDispose]()
  })

  it('migrates values when they are read', async () => {
    interface V2 {
      readonly sum: number
      readonly count: number
    }
    const bytes = <T>(version: number | undefined, migrate?: (old: unknown, from: number) => T): Serde<T> =>
      serdes.from<T>({
        ...(version === undefined ? {} : { version }),
        serialize: (value) => Buffer.from(JSON.stringify(value)),
        deserialize: (data) => JSON.parse(Buffer.from(data).toString()) as T,
        ...(migrate === undefined ? {} : { migrate }),
      })
    const summing = <T>(value: Serde<T>, init: () => T, add: (sum: T, n: number) => T) =>
      built((builder) =>
        source(builder)
          .groupByKey()
          .aggregate(init, add, { store: 'sums', value: value as Serde<NonNullable<T>> })
          .toStream()
          .to('sums', out),
      )
    const migrated: [unknown, number][] = []
    const broker = embeddedBroker()
    const first = summing(
      bytes<number>(undefined),
      () => 0,
      (a, n) => a + n,
    ) // prettier-ignore
    const second = summing(
      bytes<{ sum: number }>(1, (old) => ({ sum: old as number })),
      () => ({ sum: 0 }),
      ({ sum }, n) => ({ sum: sum + n }),
    ) // prettier-ignore
    const third = summing<V2>(
      bytes<V2>(7, (old, from) => {
        migrated.push([old, from])
        return { sum: (old as { sum: number }).sum, count: 0 }
      }),
      () => ({ sum: 0, count: 0 }),
      ({ sum, count }, n) => ({ sum: sum + n, count: count + 1 }),
    )
    await send(broker, 'orders', [
      { key: 'a', value: 1, timestamp: 1 },
      { key: 'b', value: 5, timestamp: 2 },
    ]) // prettier-ignore
    await runToEnd({ topology: first, broker })
    await send(broker, 'orders', [{ key: 'a', value: 2, timestamp: 3 }])
    await runToEnd({ topology: second, broker })
    await send(broker, 'orders', [{ key: 'a', value: 3, timestamp: 4 }])
    await runToEnd({ topology: third, broker })
    await send(broker, 'orders', [{ key: 'a', value: 4, timestamp: 5 }])
    await runToEnd({ topology: third, broker })
    assert.deepEqual(
      (await read(broker, 'sums')).map(({ value }) => value),
      [1, 5, { sum: 3 }, { sum: 6, count: 1 }, { sum: 10, count: 2 }],
    ) // prettier-ignore
    // only what was read, once: 'b' still lies there as it was written
    assert.deepEqual(migrated, [[{ sum: 3 }, 1]])
    await assert.rejects(runToEnd({ topology: second, broker }), { code: 'DHAARA_STATE_INCOMPATIBLE' })
    await broker[Symbol.asyncDispose]()
  })
})
