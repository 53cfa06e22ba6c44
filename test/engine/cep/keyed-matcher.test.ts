import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Pattern, pattern } from '../../../src/dsl/pattern/index.ts'
import { compileMatcher, KeyedMatcher, type PartRow, SortedMatcher } from '../../../src/engine/cep/index.ts'

interface Item {
  readonly kind: string
  readonly n: number
}
const p = pattern<Item>()
const is = (kind: string) => (item: Item) => item.kind === kind
const pair = p.begin('x').where(is('a')).followedBy('y').where(is('b'))
const loop = p
  .begin('l')
  .where(is('a'))
  .followedBy('m')
  .where(is('b'))
  .oneOrMore()
  .followedBy('o')
  .where(is('c'))
  .within(9)

/** A matcher of both patterns and what came out of it. */
function both(load?: Iterable<readonly [string, PartRow]>) {
  const out: string[] = []
  const matcher = new KeyedMatcher(compileMatcher({ pair, loop }, { timeouts: true }), {
    onMatch: (i, match, start, end, at) =>
      out.push(
        `${i} ${Object.values(match)
          .flat()
          .map((e) => (e as Item).n)} ${start}..${end} @${at}`,
      ),
    onTimeout: (i, partial, at) =>
      out.push(
        `${i} gone ${Object.values(partial)
          .flat()
          .map((e) => (e as Item).n)} @${at}`,
      ),
  })
  if (load !== undefined) matcher.load(load)
  return { matcher, out }
}

describe('KeyedMatcher', () => {
  it('runs several patterns over one buffer', () => {
    const { matcher, out } = both()
    const items = 'abbc'.split('').map((kind, n) => ({ kind, n }))
    items.forEach((item, t) => matcher.process(item, t))
    assert.deepEqual(out, ['0 0,1 0..1 @1', '1 0,1,2,3 0..3 @3', '1 0,1,3 0..3 @3'])
    const again = both()
    again.matcher.process(items[0] as Item, 0)
    assert.equal(again.matcher.retainedEvents, 1)
    assert.equal(again.matcher.livePartials, 2)
  })

  it('tells partial matches at their time, whenever time is moved', () => {
    const { matcher, out } = both()
    matcher.process({ kind: 'a', n: 0 }, 0)
    matcher.process({ kind: 'a', n: 1 }, 4)
    assert.equal(matcher.nextDue(), 9)
    matcher.advance(Number.POSITIVE_INFINITY)
    assert.deepEqual(out, ['1 gone 0 @9', '1 gone 1 @13'])
    assert.equal(matcher.nextDue(), Number.POSITIVE_INFINITY)
  })

  it('is idle when nothing is held', () => {
    const { matcher } = both()
    assert.ok(matcher.idle)
    matcher.process({ kind: 'a', n: 0 }, 0)
    assert.ok(!matcher.idle)
  })

  it('stores an event once, and what changed alone', () => {
    const { matcher } = both()
    matcher.track()
    matcher.process({ kind: 'a', n: 0 }, 0)
    assert.deepEqual([...matcher.takeDirty().keys()].toSorted(), ['e0', 'i', 'r0:0', 'r1:0'])
    matcher.process({ kind: 'd', n: 1 }, 1)
    assert.equal(matcher.takeDirty().size, 0)
    matcher.process({ kind: 'b', n: 2 }, 2)
    const dirty = matcher.takeDirty()
    assert.deepEqual([...dirty.keys()].toSorted(), ['e1', 'i', 'r0:0', 'r1:0'])
    assert.equal(dirty.get('r0:0'), undefined)
  })

  it('goes on from the parts that changed, collected in a store, as if nothing had happened', () => {
    const input = fc.array(fc.tuple(fc.constantFrom(...'aabbccd'), fc.nat(3), fc.boolean()), { maxLength: 30 })
    fc.assert(
      fc.property(input, (events) => {
        const plain = both()
        const store = new Map<string, PartRow>()
        let stored = both()
        stored.matcher.track()
        const out: string[] = []
        let t = 0
        for (const [i, [kind, pause, restart]] of events.entries()) {
          t += pause
          plain.matcher.process({ kind, n: i }, t)
          stored.matcher.process({ kind, n: i }, t)
          for (const [name, row] of stored.matcher.takeDirty()) {
            if (row === undefined) store.delete(name)
            else store.set(name, JSON.parse(JSON.stringify(row)))
          }
          assert.deepEqual(
            new Set(store.size === 0 ? [] : store.keys()),
            new Set(store.size === 0 ? [] : stored.matcher.parts().keys()),
          )
          if (restart && store.size > 0) {
            out.push(...stored.out)
            stored = both(store)
            stored.matcher.track()
          }
        }
        plain.matcher.advance(Number.POSITIVE_INFINITY)
        stored.matcher.advance(Number.POSITIVE_INFINITY)
        assert.deepEqual([...out, ...stored.out], plain.out)
        assert.equal(stored.matcher.retainedEvents, plain.matcher.retainedEvents)
      }),
      { numRuns: 300 },
    )
  })
})

describe('SortedMatcher', () => {
  const compiled = compileMatcher(Pattern.begin('x').where(is('a')).next('y').where(is('b')))
  const make = (orderBy?: (a: Item, b: Item) => number) => {
    const out: number[][] = []
    const onMatch = (_i: number, match: Record<string, unknown[]>) =>
      out.push(
        Object.values(match)
          .flat()
          .map((e) => (e as Item).n),
      )
    return { out, sorted: new SortedMatcher<Item>(compiled, { onMatch, onTimeout: () => {} }, orderBy) }
  }

  it('feeds by time, then by arrival, as far as W has come', () => {
    const { out, sorted } = make()
    assert.ok(sorted.add({ kind: 'b', n: 2 }, 5, 0))
    assert.ok(sorted.add({ kind: 'a', n: 1 }, 3, 0))
    assert.ok(sorted.add({ kind: 'a', n: 3 }, 5, 0))
    assert.equal(sorted.nextDue(), 3)
    sorted.advance(4)
    assert.deepEqual([out, sorted.pending], [[], 2])
    sorted.advance(5)
    assert.deepEqual([out, sorted.pending], [[[1, 2]], 0])
  })

  it('orders equal times by orderBy', () => {
    const { out, sorted } = make((a, b) => a.n - b.n)
    for (const [kind, n] of [
      ['b', 2],
      ['a', 1],
    ] as const)
      sorted.add({ kind, n }, 5, 0)
    sorted.advance(5)
    assert.deepEqual(out, [[1, 2]])
  })

  it('refuses what is late: at or before W', () => {
    const { sorted } = make()
    assert.ok(!sorted.add({ kind: 'a', n: 1 }, 7, 7))
    assert.ok(sorted.add({ kind: 'a', n: 1 }, 8, 7))
    assert.ok(!sorted.idle)
  })

  it('gives the same for every order of arrival within the bound', () => {
    const input = fc.array(fc.tuple(fc.constantFrom(...'aabbd'), fc.nat(40)), { maxLength: 40 })
    fc.assert(
      fc.property(input, fc.array(fc.nat(40)), (drawn, advances) => {
        // Equal times keep their order of arrival, so each item gets its own.
        const items = drawn.map(([kind], n) => ({ kind, n }))
        const arrival = drawn.map(([, delay], n) => [n + delay, n] as const).toSorted((a, b) => a[0] - b[0])
        const { out, sorted } = make()
        for (const [i, [, n]] of arrival.entries()) {
          const low = Math.min(...arrival.slice(i).map(([, other]) => other)) - 1
          if ((advances[i % (advances.length || 1)] ?? 0) % 2 === 0) sorted.advance(low)
          assert.ok(sorted.add(items[n] as Item, n, low))
        }
        sorted.advance(Number.POSITIVE_INFINITY)
        const plain = make()
        items.forEach((item, n) => plain.sorted.matcher.process(item, n))
        assert.deepEqual(out, plain.out)
      }),
      { numRuns: 200 },
    )
  })
})
