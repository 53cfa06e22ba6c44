import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pattern } from '../../../src/dsl/pattern/index.ts'
import {
  beginsBy,
  type Chunks,
  compileMatcher,
  type EventCodec,
  KeyedMatcher,
  offerEvent,
  reactionOf,
  readHead,
  writeHead,
} from '../../../src/engine/cep/index.ts'

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

const codec: EventCodec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
}

/** A matcher of both patterns and what came out of it. */
function both(head?: Uint8Array, chunks: Chunks = []) {
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
  if (head !== undefined) matcher.load(readHead(head), chunks, codec)
  return { matcher, out }
}

function changes(matcher: KeyedMatcher): Map<number, Uint8Array | null> {
  const rows = new Map<number, Uint8Array | null>()
  matcher.changes(codec, (chunk, row) => rows.set(chunk, row === null ? null : Uint8Array.from(row)))
  return rows
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

  it('stores what changed alone', () => {
    const { matcher } = both()
    matcher.track()
    // seq 0 to 7 fill two chunks: the event that is taken last touches its own and that of the runs it goes on with
    for (let n = 0; n < 8; n++) matcher.process({ kind: 'a', n }, 0)
    assert.deepEqual([...changes(matcher).keys()], [0, 1])
    matcher.process({ kind: 'd', n: 16 }, 1)
    assert.equal(changes(matcher).size, 0)
    matcher.process({ kind: 'a', n: 17 }, 1)
    assert.deepEqual([...changes(matcher).keys()], [2])
  })

  it('has no row for a chunk that holds nothing', () => {
    const { matcher } = both()
    matcher.track()
    matcher.process({ kind: 'a', n: 0 }, 0)
    matcher.process({ kind: 'b', n: 1 }, 1)
    matcher.advance(9)
    assert.deepEqual([...changes(matcher)], [[0, null]])
  })

  it('goes on from the chunks that changed, collected in a store, as if nothing had happened', () => {
    const input = fc.array(fc.tuple(fc.constantFrom(...'aaaabbccd'), fc.nat(2), fc.boolean()), { maxLength: 40 })
    fc.assert(
      fc.property(input, (events) => {
        const plain = both()
        const store = new Map<number, Uint8Array>()
        let stored = both()
        stored.matcher.track()
        const out: string[] = []
        let t = 0
        for (const [i, [kind, pause, restart]] of events.entries()) {
          t += pause
          plain.matcher.process({ kind, n: i }, t)
          stored.matcher.process({ kind, n: i }, t)
          for (const [n, row] of changes(stored.matcher)) {
            if (row === null) store.delete(n)
            else store.set(n, row)
          }
          assert.deepEqual(new Set(store.keys()), new Set(stored.matcher.chunks(codec).keys()))
          if (restart) {
            out.push(...stored.out)
            stored = both(writeHead(stored.matcher.head()), store)
            stored.matcher.track()
            assert.equal(stored.matcher.nextDue(), plain.matcher.nextDue())
          }
        }
        assert.equal(stored.matcher.livePartials, plain.matcher.livePartials)
        plain.matcher.advance(Number.POSITIVE_INFINITY)
        stored.matcher.advance(Number.POSITIVE_INFINITY)
        assert.deepEqual([...out, ...stored.out], plain.out)
        assert.equal(stored.matcher.retainedEvents, plain.matcher.retainedEvents)
      }),
      { numRuns: 300 },
    )
  })

  it('tells from its head alone that an event does nothing', () => {
    const input = fc.array(fc.tuple(fc.constantFrom(...'aabbcd'), fc.nat(2)), { maxLength: 20 })
    const compiled = compileMatcher({ pair, loop }, { timeouts: true })
    let saved = 0
    fc.assert(
      fc.property(input, (events) => {
        const { matcher } = both()
        let t = 0
        for (const [i, [kind, pause]] of events.entries()) {
          t += pause
          const item = { kind, n: i }
          matcher.advance(t)
          const { states } = matcher.head()
          offerEvent(item)
          const may = compiled.automata.some(
            (automaton, n) =>
              beginsBy(automaton, t)?.ops.length !== 0 ||
              states[n]?.some((state) => reactionOf(automaton, state, t)?.keep !== true),
          )
          if (!may) saved++
          assert.ok(may || !matcher.offer(item, t))
          if (may) matcher.offer(item, t)
        }
      }),
      { numRuns: 200 },
    )
    assert.ok(saved > 0)
  })

  it('cannot tell where a condition has to see its run', () => {
    const rising = compileMatcher(
      p
        .begin('x')
        .where(is('a'))
        .followedBy('y')
        .where((item, ctx) => item.n > (ctx.last('x')?.n ?? 0)),
    )
    const matcher = new KeyedMatcher(rising, { onMatch: () => {}, onTimeout: () => {} })
    matcher.process({ kind: 'a', n: 5 }, 0)
    const [states] = matcher.head().states
    const [automaton] = rising.automata
    assert.ok(automaton && states)
    offerEvent({ kind: 'b', n: 1 })
    assert.ok(states.some((state) => reactionOf(automaton, state, 1)?.keep !== true))
    assert.ok(!matcher.offer({ kind: 'b', n: 1 }, 1))
  })
})
