import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, type StreamsBuilder, windows } from '../../../../src/index.ts'
import { numbers, plays, type Result, run, type Sent, sentIn, topologyOf } from '../topologies.ts'

interface Balance {
  orders: number[]
  paid: number
}
const key = serdes.string()
const value = serdes.json<Balance>()

/** Orders, payments (whose keys have to be made first) and cancellations of one balance. */
const grouped = (builder: StreamsBuilder) =>
  builder
    .stream('in0', numbers)
    .groupByKey()
    .cogroup(
      (): Balance => ({ orders: [], paid: 0 }),
      (balance, n) => {
        balance.orders.push(n)
        return balance
      },
    )
    .cogroup(
      builder
        .stream('in1', { ...numbers, value: serdes.json<{ amount: number }>() })
        .mapValues(({ amount }) => ({ amount }))
        .groupByKey({ key }),
      (balance, { amount }) => {
        balance.paid += amount
        return balance
      },
    )
    .cogroup(builder.stream('in2', numbers).groupByKey(), (balance, n, who) => ({
      orders: balance.orders.filter((one) => one % 10 !== n % 10),
      paid: balance.paid + who.length,
    }))

function folded(balance: Balance, { topic, value, key }: Sent): Balance {
  const n = value as number
  if (topic === 0) return { ...balance, orders: [...balance.orders, n] }
  if (topic === 1) return { ...balance, paid: balance.paid + n }
  return { orders: balance.orders.filter((one) => one % 10 !== n % 10), paid: balance.paid + key.length }
}

/** Records of the second input are objects. */
const asSent = (events: ReturnType<typeof sentIn>) =>
  events.map((event) => (event.topic === 1 ? { ...event, value: { amount: event.value } } : event)) as unknown as Sent[]

describe('cogroup', () => {
  it('folds inputs of several types into one aggregate, in the order of their records', () => {
    fc.assert(
      fc.property(plays({ topics: 3 }), (play) => {
        const topology = topologyOf((builder) => grouped(builder).aggregate().toStream().to('out', { key, value }))
        const balances = new Map<string, Balance & { ts: number }>()
        const expected: Result[] = []
        for (const sent of sentIn(play.events)) {
          const before = balances.get(sent.key) ?? { orders: [], paid: 0, ts: 0 }
          const { orders, paid } = folded(before, sent)
          const ts = Math.max(before.ts, sent.ts)
          balances.set(sent.key, { orders, paid, ts })
          expected.push({ key: sent.key, value: { orders, paid }, ts })
        }
        const events = play.events.map((event) => (typeof event === 'string' ? event : asSent([event])[0])) as Sent[]
        // one at a time: what is handed over together is read in the order of time
        assert.deepEqual(run(topology, { ...play, events, batchSize: 1 }), expected)
      }),
      { numRuns: 80 },
    )
  })

  it('folds them window by window', () => {
    fc.assert(
      fc.property(plays({ topics: 3, back: 0 }), (play) => {
        const topology = topologyOf((builder) =>
          grouped(builder)
            .windowedBy(windows.tumbling(25).grace(10_000))
            .emit('close')
            .aggregate()
            .toStream()
            .to('out', { key: serdes.windowed(key), value }),
        )
        const rows = new Map<string, { key: string; start: number; balance: Balance; ts: number }>()
        for (const sent of sentIn(play.events)) {
          const start = sent.ts - (sent.ts % 25)
          const row = rows.get(`${sent.key}${start}`)
          const balance = folded(row?.balance ?? { orders: [], paid: 0 }, sent)
          rows.set(`${sent.key}${start}`, { key: sent.key, start, balance, ts: Math.max(row?.ts ?? 0, sent.ts) })
        }
        const expected = [...rows.values()]
          .sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1))
          .map(({ key, start, balance, ts }) => ({
            key: { key, window: { start, end: start + 25 } },
            value: balance,
            ts,
          }))
        const events = play.events.map((event) => (typeof event === 'string' ? event : asSent([event])[0])) as Sent[]
        assert.deepEqual(run(topology, { ...play, events, batchSize: 1 }), expected)
      }),
      { numRuns: 40 },
    )
  })

  it('joins sessions by its own merge, and is exact behind a repartition', () => {
    const topology = topologyOf((builder) => {
      const left = builder.stream('in0', numbers).groupBy((n) => `k${n % 2}`, { key })
      const right = builder.stream('in1', numbers).groupBy((n) => `k${n % 2}`, { key })
      left
        .cogroup(
          (): number[] => [],
          (all, n) => [...all, n],
        )
        .cogroup(right, (all, n) => [...all, -n])
        .windowedBy(windows.session(10).grace(10_000))
        .emit('close')
        .aggregate({ merge: (a, b) => [...a, ...b] })
        .toStream()
        .to('out', { key: serdes.windowed(key), value: serdes.json<number[]>() })
    })
    const events: Sent[] = [
      { topic: 0, key: 'x', value: 2, ts: 0 },
      { topic: 1, key: 'y', value: 4, ts: 15 },
      { topic: 0, key: 'z', value: 6, ts: 8 },
      { topic: 1, key: 'x', value: 3, ts: 8 },
    ]
    assert.deepEqual(run(topology, { events, batchSize: 1, cacheBytes: 0 }, 2), [
      { key: { key: 'k1', window: { start: 8, end: 8 } }, value: [-3], ts: 8 },
      { key: { key: 'k0', window: { start: 0, end: 15 } }, value: [2, -4, 6], ts: 15 },
    ])
  })
})
