import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { type KTable, serdes, stores } from '../../../../src/index.ts'
import { plays, type Result, run, sentIn, topologyOf } from '../topologies.ts'

const key = serdes.string()
const value = serdes.number()
const sink = { key, value }

const calls = stores.keyValue('calls', { key, value })

/** A row times the number of calls for its key: old rows cannot be made again. Multiples of 7 have none. */
const numbered = (table: KTable<string, number, null>, store?: string) =>
  table.transformValues(
    (ctx) => ({
      transform(n, k) {
        const call = (ctx.store(calls).get(k) ?? 0) + 1
        ctx.store(calls).put(k, call)
        return n % 7 === 0 ? null : n * 1000 + call
      },
    }),
    { stores: [calls], ...(store === undefined ? {} : { store }) },
  )

describe('KTable.transformValues', () => {
  it('makes a row for a row, with stores of its own', () => {
    const topology = topologyOf((builder) => {
      const table = builder.table('in0', { key, value })
      numbered(table).toStream().to('out', sink)
    })
    fc.assert(
      fc.property(plays({ tombstones: 3 }), (play) => {
        const seen = new Map<string, number>()
        const expected = sentIn(play.events).map(({ key, value, ts }): Result => {
          if (value === null) return { key, value, ts }
          const call = (seen.get(key) ?? 0) + 1
          seen.set(key, call)
          return { key, value: value % 7 === 0 ? null : value * 1000 + call, ts }
        })
        assert.deepEqual(run(topology, play), expected)
      }),
      { numRuns: 60 },
    )
  })

  for (const store of [undefined, 'rows']) {
    it(`takes its old row out of a group, ${store === undefined ? 'unasked' : 'kept'}`, () => {
      const topology = topologyOf((builder) => {
        const table = builder.table('in0', { key, value })
        numbered(table, store)
          .groupBy((n) => [`call${(n % 1000) % 2}`, n], sink)
          .reduce({ add: (a, b) => a + b, subtract: (a, b) => a - b })
          .toStream()
          .to('out', sink)
      })
      fc.assert(
        fc.property(plays({ tombstones: 3 }), (play) => {
          const seen = new Map<string, number>()
          const rows = new Map<string, number>()
          for (const { key, value } of sentIn(play.events)) {
            rows.delete(key)
            if (value === null) continue
            const call = (seen.get(key) ?? 0) + 1
            seen.set(key, call)
            if (value % 7 !== 0) rows.set(key, value * 1000 + call)
          }
          const totals = new Map(run(topology, play).map(({ key, value }) => [key, value]))
          for (const group of ['call0', 'call1']) {
            const all = [...rows.values()].filter((n) => `call${(n % 1000) % 2}` === group)
            assert.equal(
              totals.get(group) ?? 0,
              all.reduce((a, b) => a + b, 0),
            ) // prettier-ignore
          }
        }),
        { numRuns: 60 },
      )
    })
  }

  it('is read by joins', () => {
    const topology = topologyOf((builder) => {
      const rows = numbered(builder.table('in0', { key, value })).mapValues((n) => n + 1)
      builder
        .stream('in1', { key, value, nullKeys: 'drop' })
        .join(rows, (n, row) => n + row)
        .to('out', sink)
    })
    const events = [
      { topic: 0, key: 'a', value: 2, ts: 1 },
      { topic: 1, key: 'a', value: 10, ts: 2 },
      { topic: 0, key: 'a', value: 3, ts: 3 },
      { topic: 1, key: 'a', value: 10, ts: 4 },
      { topic: 0, key: 'a', value: null, ts: 5 },
      { topic: 1, key: 'a', value: 10, ts: 6 },
    ]
    const found = run(topology, { events, batchSize: 1, cacheBytes: 0 }).map(({ value }) => value)
    assert.deepEqual(found, [2012, 3013])
  })
})
