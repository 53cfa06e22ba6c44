import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, StreamsBuilder, sum, type Topology } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { numbers, plays, run, sentIn, topologyOf } from '../topologies.ts'

const key = serdes.string()
const out = { key, value: serdes.json() }
const store = { name: 'sums', kind: 'versioned', history: 100 } as const

/** Adds in place; with `ends` each seventh record takes the row away. */
const summed = (by: boolean, past: boolean, ends: boolean): Topology =>
  topologyOf((builder) => {
    const stream = builder.stream('in0', numbers)
    const keyed = by ? stream.selectKey((n) => `d${n % 3}`) : stream
    keyed
      .groupByKey()
      .aggregate(
        () => ({ all: [] as number[] }) as { all: number[] } | null,
        (held, n) => {
          if (ends && n % 7 === 6) return null
          held?.all.push(n)
          return held
        },
        past ? { store } : {},
      )
      .toStream()
      .to('out', out)
  })

interface Kept {
  get(key: string, opts?: { readonly asOf?: number }): { readonly all: readonly number[] } | undefined
}

interface Version {
  readonly key: string
  readonly at: number
  /** undefined: a deletion. */
  readonly all: readonly number[] | undefined
}

/** What holds at a time: the version that began last, of several the one that came last. */
const present = (versions: readonly Version[], of: string, at = Number.POSITIVE_INFINITY): Version | undefined =>
  versions
    .filter((one) => one.key === of && one.at <= at)
    .sort((a, b) => a.at - b.at)
    .at(-1)

describe('an aggregate with a versioned store', () => {
  for (const by of [false, true]) {
    it(`gives the rows of a plain one${by ? ', behind a change of key' : ''}`, () => {
      fc.assert(
        // nothing is so old that the past forgets it
        fc.property(plays({ back: 20, tombstones: 1, maxLength: 30 }), (play) => {
          const recent = sentIn(play.events).every(
            ({ ts }, _, all) => Math.max(...all.map((one) => one.ts)) - ts <= 100,
          )
          fc.pre(recent)
          assert.deepEqual(run(summed(by, true, false), play), run(summed(by, false, false), play))
        }),
        { numRuns: 60 },
      )
    })
  }

  it('knows what it was at any time of its history, also after a restore', () => {
    fc.assert(
      fc.property(plays({ back: 10, maxLength: 25 }), fc.boolean(), ({ events }, restored) => {
        const topology = summed(false, true, true)
        let driver = new TopologyTestDriver(topology)
        const versions: Version[] = []
        let newest = Number.NEGATIVE_INFINITY
        for (const event of events) {
          if (typeof event === 'string') {
            const snapshot = driver.checkpoint()
            if (restored) driver = new TopologyTestDriver(topology, { restore: snapshot })
            continue
          }
          driver.input('in0').send(event.value, { key: event.key, timestamp: event.ts })
          const before = present(versions, event.key)
          const at = before?.all === undefined ? event.ts : Math.max(event.ts, before.at)
          if (at < newest - store.history) continue
          newest = Math.max(newest, at)
          const n = event.value as number
          versions.push({ key: event.key, at, all: n % 7 === 6 ? undefined : [...(before?.all ?? []), n] })
        }
        const held = driver.store('sums') as unknown as Kept
        for (const one of ['a', 'b', 'c']) {
          const mine = versions.filter((version) => version.key === one)
          assert.deepEqual(held.get(one)?.all, present(versions, one)?.all)
          for (const { at } of mine) {
            if (at < newest - store.history) continue
            assert.deepEqual(held.get(one, { asOf: at })?.all, present(versions, one, at)?.all)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  it('is joined as of a record’s time, by its result', () => {
    const builder = new StreamsBuilder()
    const total = builder
      .stream('in0', numbers)
      .groupByKey()
      .aggregate(
        sum((n) => n),
        { store },
      )
    builder
      .stream('asked', { key, value: serdes.string() })
      .leftJoin(total, (text, n) => `${text} ${n}`, { grace: 0 })
      .to('out', out)
    using driver = new TopologyTestDriver(builder.build())
    for (const [value, timestamp] of [
      [1, 10],
      [2, 20],
      [4, 30],
    ] as const)
      driver.input('in0').send(value, { key: 'a', timestamp })
    for (const timestamp of [5, 15, 25, 35]) driver.input('asked').send(`at ${timestamp}`, { key: 'a', timestamp })
    driver.end()
    assert.deepEqual(
      driver
        .output('out')
        .readAll()
        .map(({ value }) => value as string),
      ['at 5 null', 'at 15 1', 'at 25 3', 'at 35 7'],
    )
  })

  it('keeps the past of regrouped tables', () => {
    const builder = new StreamsBuilder()
    builder
      .table('in0', { key, value: serdes.number() })
      .groupBy((n) => [`d${n % 2}`, n] as const)
      .aggregate(
        sum((n) => n),
        { store },
      )
    using driver = new TopologyTestDriver(builder.build())
    const send = (value: number | null, timestamp: number) =>
      driver.input('in0').send(value, { key: `k${timestamp % 10}`, timestamp })
    send(2, 10)
    send(4, 21)
    send(null, 30)
    const held = driver.store('sums') as unknown as { get(key: string, opts?: { asOf: number }): number | undefined }
    assert.deepEqual(
      [9, 10, 21, 30].map((asOf) => held.get('d0', { asOf })),
      [undefined, 2, 6, 4],
    )
  })
})
