import assert from 'node:assert/strict'
import fc from 'fast-check'
import { serdes, StreamsBuilder, sum, windows } from '../../../src/index.ts'
import { planOf } from '../../../src/dsl/topology/index.ts'
import { compile } from '../../../src/engine/plan/compile.ts'
import {
  CommittedRows,
  LatestRows,
  type RawQuery,
  type RowSource,
  storeLayout,
} from '../../../src/engine/query/index.ts'
import type { BackendReader } from '../../../src/state/backend.ts'
import { MemoryBackend } from '../../../src/state/backends/index.ts'
import { statePrefix, writeTime } from '../../../src/state/stores/index.ts'

interface Order {
  readonly city: string
  readonly rupees: number
}

const builder = new StreamsBuilder()
const orders = builder.stream('orders', { key: serdes.string(), value: serdes.json<Order>() })
const total = sum((order: Order) => order.rupees)
orders.groupByKey().aggregate(total, { store: 'likely' })
orders.groupBy((order) => order.city).aggregate(total, { store: 'certain' })
orders
  .selectKey((order) => order.city)
  .repartition({ name: 'mine', partitioner: (order: Order) => order.rupees % 2 })
  .groupByKey()
  .aggregate(total, { store: 'unknown' })
const hourly = { name: 'hours', retention: '1d' } as const
orders.groupByKey().windowedBy(windows.tumbling('1h').grace('5m')).aggregate(total, { store: hourly })
const plan = compile(planOf(builder.build()))

type Store = 'likely' | 'certain' | 'unknown' | 'hours'
const id = 7
const windowed = new Set<Store>(['hours'])

/** Rows of a store in some partitions: how many places a question looked into is counted. */
class Rows {
  readonly layout
  readonly committed: RowSource
  readonly latest: RowSource
  looked = 0
  /** Called behind each read of several keys, as if another thread wrote then. */
  between = (): void => {}
  private readonly backend = new MemoryBackend()

  constructor(
    store: Store,
    keys: readonly (readonly [key: string, partition: number])[],
    count: number,
    here: number[],
  ) {
    this.layout = storeLayout(plan, store)
    const { backend } = this
    const batch = backend.batch()
    for (const [key, partition] of keys)
      batch.put(this.rowKey(partition, this.encoded(key)), Buffer.from(`row of ${key}`))
    batch.commit()
    const reader = Object.assign(Object.create(backend) as BackendReader, {
      getMany: (wanted: readonly Uint8Array[]) => {
        this.looked += wanted.length
        const found = backend.getMany(wanted)
        this.between()
        return found
      },
      collect: (range: Parameters<BackendReader['collect']>[0]) => {
        this.looked++
        return backend.collect(range)
      },
    })
    const partitions = { partitionsOf: () => here, partitionCount: () => count }
    this.committed = new CommittedRows({ reader, storeId: () => id, ...partitions })
    const ask = (_: unknown, partition: number, query: RawQuery) => {
      this.looked++
      const row = (key: Uint8Array) => backend.get(this.rowKey(partition, key))
      if (query.type === 'get') return query.keys.map(row)
      assert.ok(query.type === 'windows')
      const found = row(query.key)
      return found === undefined ? [] : ([[Buffer.concat([hour, query.key]), found]] as const)
    }
    this.latest = new LatestRows(ask, partitions)
  }

  encoded(key: string): Buffer {
    return Buffer.from(this.layout.keys.encode(key))
  }

  remove(key: string, partition: number): void {
    const batch = this.backend.batch()
    batch.delete(this.rowKey(partition, this.encoded(key)))
    batch.commit()
  }

  place(key: string, count: number): number {
    return this.layout.placeOf(this.encoded(key), count)?.partition ?? 0
  }

  private rowKey(partition: number, key: Uint8Array): Buffer {
    const time = windowed.has(this.layout.name as Store) ? [hour] : []
    return Buffer.concat([statePrefix(id, partition), ...time, key])
  }
}

const hour = Buffer.alloc(8)
writeTime(hour, 3_600_000, 0)

/** As many as are found, whichever way is taken. */
async function found(rows: Rows, source: RowSource, key: string): Promise<string[]> {
  const encoded = rows.encoded(key)
  if (rows.layout.name !== 'hours') {
    const [one] = await source.get(rows.layout, [encoded])
    const alone = source.getOne === undefined ? one : await source.getOne(rows.layout, encoded)
    assert.deepEqual(alone, one)
    return one === undefined ? [] : [String(one)]
  }
  const pages = source.windows(rows.layout, { key: encoded, from: 0, to: 7_200_000, reverse: false })
  const all: string[] = []
  for (let page = await pages.next(); page.length > 0; page = await pages.next())
    all.push(...page.map(([, value]) => Buffer.from(value).toString()))
  pages.close()
  return all
}

const all = (count: number): number[] => Array.from({ length: count }, (_, partition) => partition)

describe('where a key is looked for', () => {
  it('leaves out no place where a row may be, whoever has put it there', async () => {
    const keys = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 5 }), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Store>('likely', 'certain', 'unknown', 'hours'),
        keys,
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat()),
        async (store, names, count, chosen) => {
          const empty = new Rows(store, [], count, all(count))
          const there = names.map((key) => {
            const anywhere = (chosen.next().value as number) % (2 * count)
            // half of them where their producer wanted them, unless that is known to be nowhere else
            return [key, store === 'certain' || anywhere >= count ? empty.place(key, count) : anywhere] as const
          })
          const some = there.filter((_, i) => i % 3 > 0)
          const rows = new Rows(store, some, count, all(count))
          for (const source of [rows.committed, rows.latest]) {
            for (const [key] of there) {
              const expected = some.some(([name]) => name === key) ? [`row of ${key}`] : []
              assert.deepEqual(await found(rows, source, key), expected)
            }
            if (store === 'hours') continue
            const many = await source.get(
              rows.layout,
              there.map(([key]) => rows.encoded(key)),
            )
            assert.deepEqual(
              many.map((row) => row !== undefined),
              there.map((_, i) => i % 3 > 0),
            )
          }
        },
      ),
    )
  })

  const looks = async (store: Store, isolation: 'committed' | 'latest', key: string, partition?: number) => {
    const rows = new Rows(store, [], 32, all(32))
    const home = rows.place('asha', 32)
    const made = new Rows(store, [['asha', partition ?? home]], 32, all(32))
    const source = made[isolation]
    const bytes = made.encoded(key)
    if (store === 'hours') {
      const pages = source.windows(made.layout, { key: bytes, from: 3_600_000, to: 3_600_000, reverse: false })
      await pages.next()
      pages.close()
    } else await source.get(made.layout, [bytes])
    return made.looked
  }

  for (const isolation of ['committed', 'latest'] as const) {
    it(`is one place of many, if the row is where Kafka's partitioner puts it: ${isolation}`, async () => {
      for (const store of ['likely', 'certain', 'hours'] as const)
        assert.equal(await looks(store, isolation, 'asha'), 1)
      assert.equal(await looks('unknown', isolation, 'asha'), 32)
    })

    it(`is everywhere, if it is not there: ${isolation}`, async () => {
      // committed: the likely place is looked at again with the others
      assert.equal(await looks('likely', isolation, 'nobody'), isolation === 'committed' ? 33 : 32)
      assert.equal(await looks('hours', isolation, 'nobody'), 32)
    })

    it(`is nowhere else, if the engine itself has spread the keys: ${isolation}`, async () => {
      assert.equal(await looks('certain', isolation, 'nobody'), 1)
    })
  }

  it('is looked at again where it was, if other keys of the same question are elsewhere: all rows are of one moment', async () => {
    const count = 8
    const home = new Rows('likely', [], count, []).place('asha', count)
    const rows = new Rows(
      'likely',
      [
        ['asha', home],
        ['ravi', new Rows('likely', [], count, []).place('ravi', count) ? 0 : 1],
      ],
      count,
      all(count),
    )
    let calls = 0
    rows.between = () => {
      if (++calls === 1) rows.remove('asha', home)
    }
    const found = await rows.committed.get(rows.layout, [rows.encoded('asha'), rows.encoded('ravi')])
    assert.deepEqual(
      found.map((row) => row && Buffer.from(row).toString()),
      [undefined, 'row of ravi'],
    )
    assert.equal(calls, 2)
  })

  it('finds no row of another key where there is one partition to look into', async () => {
    const names = Array.from({ length: 64 }, (_, i) => `k${i}`)
    const rows = new Rows(
      'likely',
      names.slice(32).map((name) => [name, 0] as const),
      8,
      [0],
    )
    const ask = async (name: string): Promise<string | undefined> => {
      const row = await rows.committed.getOne?.(rows.layout, rows.encoded(name))
      return row && Buffer.from(row).toString()
    }
    // what is asked for next comes into the turn in which those that were not found would be looked for elsewhere
    const found = await Promise.all(names.map((name, i) => (i < 32 ? ask(name) : ask('k63').then(() => ask(name)))))
    assert.deepEqual(
      found,
      names.map((name, i) => (i < 32 ? undefined : `row of ${name}`)),
    )
  })

  it('is nowhere, if the one place where it can be is not here', async () => {
    const home = new Rows('certain', [], 8, []).place('asha', 8)
    const rows = new Rows('certain', [['asha', home]], 8, all(8).toSpliced(home, 1))
    assert.deepEqual(await found(rows, rows.committed, 'asha'), [])
    assert.equal(rows.looked, 0)
    // likely elsewhere, but perhaps here
    const likely = new Rows('likely', [['asha', 0]], 8, [0])
    assert.deepEqual(await found(likely, likely.committed, 'asha'), ['row of asha'])
  })
})
