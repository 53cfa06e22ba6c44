import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, windows } from '../../../../src/index.ts'
import { numbers, plays, run, type Sent, sentIn, topologyOf } from '../topologies.ts'

const key = serdes.string()
const value = serdes.json<readonly number[]>()
const rank = (n: number) => n % 5

/** Highest rank first, ties in order of arrival. */
const best = (sent: readonly Sent[]): number[] =>
  sent
    .map((one) => one.value as number)
    .map((n, i) => ({ n, i }))
    .sort((a, b) => rank(b.n) - rank(a.n) || a.i - b.i)
    .map(({ n }) => n)
    .slice(0, 3)

describe('topN', () => {
  it('keeps the best values of a key, and tells what changes them', () => {
    const topology = topologyOf((builder) =>
      builder.stream('in0', numbers).groupByKey().topN(3, rank).toStream().to('out', { key, value }),
    )
    fc.assert(
      fc.property(plays(), (play) => {
        const sent = sentIn(play.events)
        const expected = sent
          .map((one, i) => {
            const own = sent.slice(0, i + 1).filter((other) => other.key === one.key)
            return [best(own), best(own.slice(0, -1))] as const
          })
          .filter(([now, before]) => JSON.stringify(now) !== JSON.stringify(before))
          .map(([now]) => now)
        assert.deepEqual(
          run(topology, play).map((row) => row.value),
          expected,
        )
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the best values of a key and window', () => {
    const topology = topologyOf((builder) =>
      builder
        .stream('in0', numbers)
        .groupByKey()
        .windowedBy(windows.hopping(20, { advance: 10 }).grace(1000))
        .emit('close')
        .topN(3, rank)
        .toStream()
        .to('out', { key: serdes.windowed(key), value }),
    )
    fc.assert(
      fc.property(plays({ back: 0 }), (play) => {
        const sent = sentIn(play.events)
        for (const { key, value } of run(topology, play)) {
          const { key: inner, window } = key as { key: string; window: { start: number; end: number } }
          const inside = sent.filter((one) => one.key === inner && one.ts >= window.start && one.ts < window.end)
          assert.deepEqual(value, best(inside))
        }
      }),
      { numRuns: 40 },
    )
  })

  it('knows the next best of a table when one of the best leaves', () => {
    const topology = topologyOf((builder) =>
      builder
        .table('in0', { key, value: serdes.number() })
        .groupBy((n) => ['all', n], { key, value: serdes.number() })
        .topN(3, (n) => n)
        .toStream()
        .to('out', { key, value }),
    )
    fc.assert(
      fc.property(plays({ tombstones: 4 }), (play) => {
        const rows = new Map<string, number>()
        for (const { key, value } of sentIn(play.events)) {
          if (value === null) rows.delete(key)
          else rows.set(key, value)
        }
        const expected = [...rows.values()].sort((a, b) => b - a).slice(0, 3)
        const shown = run(topology, play).map((row) => JSON.stringify(row.value))
        assert.deepEqual(JSON.parse(shown.at(-1) ?? 'null') ?? [], expected)
        assert.ok(
          shown.every((row, i) => row !== shown[i - 1]),
          shown.join(' '),
        )
      }),
      { numRuns: 60 },
    )
  })
})
