import assert from 'node:assert/strict'
import type { Pattern } from '../../../src/dsl/pattern/index.ts'
import { AfterMatchSkip, pattern } from '../../../src/dsl/pattern/index.ts'
import { PatternMatcher } from '../../../src/engine/cep/index.ts'
import { DhaaraError } from '../../../src/errors/index.ts'

interface Item {
  readonly kind: string
  readonly n: number
}
const p = pattern<Item>()
const is = (kind: string) => (item: Item) => item.kind === kind

/** Feeds `a1 b2 …`, an item a millisecond, and gives each match as text. */
function feed<M>(matcher: PatternMatcher<Item, M>, text: string, from = 0): string[] {
  return text.split(' ').flatMap((word, i) => {
    const item = { kind: word[0] as string, n: Number(word.slice(1) || 0) }
    return matcher.process(item, from + i).matches.map((m) => spell(m as object))
  })
}
const spell = (match: object): string =>
  Object.entries(match)
    .map(([name, items]) => `${name}=${(items as Item[]).map((i) => i.kind + i.n).join()}`)
    .join(' ')
const code = (expected: string) => (e: unknown) => e instanceof DhaaraError && e.code === expected

describe('PatternMatcher', () => {
  it('gives the very objects that were given, in the order of the pattern', () => {
    const matcher = new PatternMatcher(p.begin('x').where(is('a')).followedBy('y').where(is('b')))
    const [a, b] = [
      { kind: 'a', n: 1 },
      { kind: 'b', n: 2 },
    ]
    matcher.process(a, 1)
    const [match] = matcher.process(b, 2).matches
    assert.deepEqual(Object.keys(match as object), ['x', 'y'])
    assert.equal(match?.x[0], a)
    assert.equal(match?.y[0], b)
  })

  it('lets go of events that no partial match holds', () => {
    const matcher = new PatternMatcher(p.begin('x').where(is('a')).next('y').where(is('b')).next('z').where(is('c')))
    feed(matcher, 'a b')
    assert.deepEqual([matcher.livePartials, matcher.retainedEvents], [1, 2])
    feed(matcher, 'd')
    assert.deepEqual([matcher.livePartials, matcher.retainedEvents], [0, 0])
  })

  it('leaves the event out if a condition throws, and tells what time gave with the next result', () => {
    const bad = (item: Item, ctx: { count(name: 'x'): number }): boolean => {
      if (item.n === 13 && ctx.count('x') > 0) throw new RangeError('thirteen')
      return item.kind === 'b'
    }
    const made = p.begin('x').where(is('a')).followedBy('y').where(bad).within(10)
    const matcher = new PatternMatcher(made, { timeouts: true })
    matcher.process({ kind: 'a', n: 1 }, 0)
    matcher.process({ kind: 'a', n: 2 }, 5)
    const before = matcher.livePartials
    assert.throws(() => matcher.process({ kind: 'b', n: 13 }, 12), RangeError)
    assert.equal(matcher.livePartials, before - 1)
    const { matches, timedOut } = matcher.process({ kind: 'b', n: 3 }, 13)
    assert.deepEqual(
      timedOut.map((t) => [t.at, spell(t.partial)]),
      [[10, 'x=a1']],
    )
    assert.deepEqual(matches.map(spell), ['x=a2 y=b3'])
  })

  it('refuses a condition that asks for a step that is not there', () => {
    const matcher = new PatternMatcher(p.begin('x').where((_item, ctx) => ctx.count('y' as 'x') > 0))
    assert.throws(() => feed(matcher, 'a'), code('DHAARA_OPTION'))
  })

  describe('windows', () => {
    it('tells a partial match that its window ended, once, at start + within', () => {
      const made = p.begin('x').where(is('a')).followedBy('y').where(is('b')).optional().followedBy('z').where(is('c'))
      const matcher = new PatternMatcher(made.within(10), { timeouts: true })
      feed(matcher, 'a1 d')
      assert.deepEqual(matcher.advanceTime(9).timedOut, [])
      const told = matcher.advanceTime(50).timedOut
      assert.deepEqual(
        told.map((t) => [t.at, spell(t.partial)]),
        [[10, 'x=a1']],
      )
    })

    it('is right-exclusive', () => {
      const matcher = new PatternMatcher(p.begin('x').where(is('a')).followedBy('y').where(is('b')).within(2))
      assert.deepEqual(feed(matcher, 'a1 b1'), ['x=a1 y=b1'])
      assert.deepEqual(feed(matcher, 'a1 d b1', 100), [])
    })

    it('holds between the event before and a step', () => {
      const made = p.begin('x').where(is('a')).followedBy('y').where(is('b')).within(3, 'previousToCurrent')
      const matcher = new PatternMatcher(made, { timeouts: true })
      assert.deepEqual(feed(matcher, 'a1 d b1'), ['x=a1 y=b1'])
      feed(matcher, 'a2', 100)
      assert.deepEqual(
        matcher.advanceTime(200).timedOut.map((t) => [t.at, spell(t.partial)]),
        [[103, 'x=a2']],
      )
    })

    it('does not end what can go on without the step whose window is over', () => {
      const y = p.begin('x').where(is('a')).followedBy('y').where(is('b')).optional().within(2, 'previousToCurrent')
      const matcher = new PatternMatcher(y.followedBy('z').where(is('c')))
      assert.deepEqual(feed(matcher, 'a1 d d d b1 c1'), ['x=a1 z=c1'])
    })

    it('ends what left a state and came back to it once', () => {
      const made = p
        .begin('x')
        .where(is('a'))
        .times(1, 3, { gap: 3 })
        .allowCombinations()
        .followedBy('z')
        .where(is('c'))
      const matcher = new PatternMatcher(made.within(50), { timeouts: true })
      assert.deepEqual(
        feed(matcher, 'a1 a2 d d a3 c1').toSorted(),
        ['x=a1 z=c1', 'x=a2 z=c1', 'x=a1,a2 z=c1', 'x=a2,a3 z=c1', 'x=a3 z=c1', 'x=a1,a2,a3 z=c1']
          .filter((m) => !m.includes('a2,a3'))
          .toSorted(),
      )
      matcher.advanceTime(100)
      assert.equal(matcher.livePartials, 0)
    })

    it('tells partial matches of one time in the order of their beginnings, whatever was restored', () => {
      const made = p.begin('x').where(is('a')).followedBy('y').where(is('b')).within(5, 'previousToCurrent')
      let matcher = new PatternMatcher(made, { timeouts: true })
      for (let n = 0; n < 20; n++) {
        matcher.process({ kind: 'a', n }, 0)
        if (n === 10) matcher = PatternMatcher.restore(made, matcher.snapshot())
      }
      const told = matcher.advanceTime(5).timedOut.map(({ partial }) => partial.x?.[0].n)
      assert.deepEqual(
        told,
        Array.from({ length: 20 }, (_, n) => n),
      )
    })

    it('keeps gaps between all repetitions below the quantifier’s own', () => {
      const made = p.begin('x').where(is('a')).followedBy('y').where(is('b')).oneOrMore({ gap: 3 })
      const matcher = new PatternMatcher(made.followedBy('z').where(is('c')))
      assert.deepEqual(feed(matcher, 'a1 b1 b2 d d d b3 c1'), ['x=a1 y=b1,b2 z=c1', 'x=a1 y=b1 z=c1'])
    })
  })

  describe('absence', () => {
    const absent = p.begin('x').where(is('a')).notFollowedBy('y').where(is('b')).within(10)

    it('is told by time alone, at the end of the window', () => {
      const matcher = new PatternMatcher(absent)
      assert.deepEqual(feed(matcher, 'a1'), [])
      assert.deepEqual(matcher.advanceTime(9).matches, [])
      assert.deepEqual(matcher.advanceTime(10).matches.map(spell), ['x=a1'])
    })

    it('is not told if the event came', () => {
      const matcher = new PatternMatcher(absent)
      feed(matcher, 'a1 d b1')
      assert.deepEqual(matcher.advanceTime(100).matches, [])
    })

    it('is told of each prefix of a loop, without an event after it', () => {
      const made = p.begin('x').where(is('a')).oneOrMore().notFollowedBy('y').where(is('b')).within(10)
      const matcher = new PatternMatcher(made, { timeouts: true })
      feed(matcher, 'a1 a2')
      const { matches, timedOut } = matcher.advanceTime(100)
      assert.deepEqual(matches.map(spell).toSorted(), ['x=a1', 'x=a1,a2', 'x=a2'])
      assert.deepEqual(timedOut, [])
    })

    it('is told after a group that repeats, also one that ends with what must not come next', () => {
      const item = p.begin('x').where(is('a'))
      const forbidden = item.notNext('not').where(is('c'))
      const told = (loop: Pattern<Item, any>): string[] => {
        const matcher = new PatternMatcher<Item, any>(loop)
        const early = feed(matcher, 'a1 a2 a3')
        return [...early, ...matcher.advanceTime(10).matches.map(spell)].toSorted()
      }
      const all = ['x=a1', 'x=a1,a2', 'x=a1,a2,a3', 'x=a2', 'x=a2,a3', 'x=a3']
      assert.deepEqual(told(p.begin(item).oneOrMore().notFollowedBy('no').where(is('d')).within(3)), all)
      const seen = ['x=a1', 'x=a1,a2', 'x=a2']
      assert.deepEqual(told(p.begin(forbidden).oneOrMore().notFollowedBy('no').where(is('d')).within(3)), seen)
    })
  })

  describe('what conditions see', () => {
    it('counts, sums and lasts of the run', () => {
      const made = p
        .begin('up')
        .where((item, ctx) => item.n > (ctx.last('up')?.n ?? 0))
        .oneOrMore()
        .consecutive()
        .next('end')
        .where((_i, ctx) => ctx.count('up') === 3 && ctx.sum('up', (i) => i.n) === 9)
      const matcher = new PatternMatcher(made)
      assert.deepEqual(feed(matcher, 'a2 a3 a4 e'), ['up=a2,a3,a4 end=e0'])
      assert.deepEqual(feed(matcher, 'a1 a3 a4 e', 50), [])
    })

    it('calls the function of a sum once for each event', () => {
      let calls = 0
      const price = (item: Item): number => {
        calls++
        return item.n
      }
      const made = p
        .begin('x')
        .where((i, ctx) => i.kind === 'a' && ctx.sum('x', price) + i.n < 1e9)
        .oneOrMore()
      const matcher = new PatternMatcher(made.consecutive(), { skip: AfterMatchSkip.pastLastEvent() })
      for (let i = 0; i < 4; i++) feed(matcher, 'a1 a1 a1 a1', i * 4)
      const nested = p
        .begin('s')
        .where(is('s'))
        .followedBy('x')
        .where((i, ctx) => i.kind === 'a' && ctx.sum('x', price) >= 0)
      const long = new PatternMatcher(nested.timesOrMore(100).consecutive())
      long.process({ kind: 's', n: 0 }, 0)
      calls = 0
      for (let i = 0; i < 90; i++) long.process({ kind: 'a', n: i }, i)
      assert.ok(calls <= 92, `${calls} calls for 90 events`)
    })

    it('sums right where the function uses more than its event', () => {
      const above = p
        .begin('x')
        .where(is('a'))
        .times(3)
        .next('y')
        .where((y, ctx) => ctx.sum('x', (x) => (x.n > y.n ? 1 : 0)) === 2)
      const matcher = new PatternMatcher(above)
      assert.deepEqual(feed(matcher, 'a1 a5 a6 b4'), ['x=a1,a5,a6 y=b4'])
      assert.deepEqual(feed(matcher, 'a1 a5 a6 b0', 50), [])
    })

    it('knows the time of the event, and takes one look at a state whose conditions do not look at the run', () => {
      let looks = 0
      const made = p
        .begin('x')
        .where(is('a'))
        .followedByAny('y')
        .where((i, ctx) => {
          looks++
          return i.kind === 'b' && ctx.timestamp === 60
        })
      const matcher = new PatternMatcher(made)
      for (let t = 0; t < 50; t++) matcher.process({ kind: 'a', n: t }, t)
      looks = 0
      matcher.process({ kind: 'd', n: 0 }, 55)
      assert.equal(looks, 1)
      assert.equal(matcher.process({ kind: 'b', n: 0 }, 60).matches.length, 50)
    })
  })

  describe('choices', () => {
    const a = p.begin('a').where(is('a'))
    const b = p.begin('b').where(is('b')).next('c').where(is('c'))

    it('anyOf takes the first that comes', () => {
      const made = p.begin('x').where(is('x')).followedBy(p.anyOf(a, b)).followedBy('z').where(is('z'))
      assert.deepEqual(feed(new PatternMatcher(made), 'x d a1 b c z'), ['x=x0 a=a1 z=z0'])
      assert.deepEqual(feed(new PatternMatcher(made), 'x d b1 c1 a z'), ['x=x0 b=b1 c=c1 z=z0'])
    })

    it('anyOf after next takes no event in between, after followedByAny any', () => {
      const next = p.begin('x').where(is('x')).next(p.anyOf(a, b))
      assert.deepEqual(feed(new PatternMatcher(next), 'x d a'), [])
      assert.deepEqual(feed(new PatternMatcher(next), 'x a1'), ['x=x0 a=a1'])
      const any = p.begin('x').where(is('x')).followedByAny(p.anyOf(a, b))
      assert.deepEqual(feed(new PatternMatcher(any), 'x a1 b1 c1 a2'), ['x=x0 a=a1', 'x=x0 b=b1 c=c1', 'x=x0 a=a2'])
    })

    it('anyOf repeats and nests', () => {
      const made = p
        .begin(p.anyOf(a, p.anyOf(b, p.begin('d').where(is('d')))))
        .times(2)
        .consecutive()
      assert.deepEqual(feed(new PatternMatcher(made), 'd1 b1 c1 x a1 d2'), ['b=b1 c=c1 d=d1', 'a=a1 d=d2'])
    })

    it('allOf takes all, in any order', () => {
      const made = p
        .begin('x')
        .where(is('x'))
        .next(p.allOf(a, b, p.begin('d').where(is('d'))))
      assert.deepEqual(feed(new PatternMatcher(made), 'x b1 c1 e d1 a1'), ['x=x0 a=a1 b=b1 c=c1 d=d1'])
      assert.deepEqual(feed(new PatternMatcher(made), 'x a1 e d1 e b1 c1'), ['x=x0 a=a1 b=b1 c=c1 d=d1'])
      assert.deepEqual(feed(new PatternMatcher(made), 'x e a b c d'), [])
    })

    it('allOf begins a pattern too', () => {
      assert.deepEqual(feed(new PatternMatcher(p.allOf(a, p.begin('d').where(is('d')))), 'd1 e a1'), ['a=a1 d=d1'])
    })
  })

  describe('maxPartials', () => {
    const made: Pattern<Item, { readonly x: readonly [Item, ...Item[]]; readonly y: readonly [Item, ...Item[]] }> = p
      .begin('x')
      .where(is('a'))
      .followedBy('y')
      .where(is('b'))

    it('drops the oldest', () => {
      const matcher = new PatternMatcher(made, { maxPartials: 2, whenFull: 'dropOldest' })
      assert.deepEqual(feed(matcher, 'a1 a2 a3 b1'), ['x=a2 y=b1', 'x=a3 y=b1'])
    })
    it('drops the newest', () => {
      const matcher = new PatternMatcher(made, { maxPartials: 2, whenFull: 'dropNewest' })
      assert.deepEqual(feed(matcher, 'a1 a2 a3 b1'), ['x=a1 y=b1', 'x=a2 y=b1'])
    })
    it('fails, if nothing else is said, before the event changed anything', () => {
      const matcher = new PatternMatcher(made, { maxPartials: 2 })
      feed(matcher, 'a1 a2')
      assert.throws(() => feed(matcher, 'a3'), code('DHAARA_PATTERN_FULL'))
      assert.deepEqual(feed(matcher, 'b1', 5), ['x=a1 y=b1', 'x=a2 y=b1'])
    })
    it('refuses what is no limit', () => {
      assert.throws(() => new PatternMatcher(made, { maxPartials: 0 }), code('DHAARA_OPTION'))
      assert.throws(() => new PatternMatcher(made, { whenFull: 'x' as 'fail' }), code('DHAARA_OPTION'))
    })
  })

  describe('loops', () => {
    it('cost one node and at most two partial matches an event', () => {
      const made = p.begin('x').where(is('a')).followedBy('y').where(is('b')).oneOrMore().followedBy('z').where(is('c'))
      const matcher = new PatternMatcher(made)
      matcher.process({ kind: 'a', n: 0 }, 0)
      for (let i = 1; i <= 1000; i++) matcher.process({ kind: 'b', n: i }, i)
      assert.equal(matcher.retainedEvents, 1001)
      assert.ok(matcher.livePartials <= 1001, `${matcher.livePartials}`)
      assert.equal(matcher.process({ kind: 'c', n: 0 }, 2000).matches.length, 1000)
      assert.equal(matcher.retainedEvents <= 1001, true)
    })
  })

  it('does not go on with the state of another pattern', () => {
    const snapshot = new PatternMatcher(p.begin('x').next('y')).snapshot()
    assert.throws(() => PatternMatcher.restore(p.begin('x').next('z'), snapshot), code('DHAARA_STATE_INCOMPATIBLE'))
  })

  it('says what has changed', () => {
    const a = p.begin('a')
    const changes: readonly [was: Pattern<Item, any>, is: Pattern<Item, any>, says: string][] = [
      [a.next('b'), a.followedBy('b'), 'next("b"), where there is now followedBy("b")'],
      [a.next('b').oneOrMore(), a.next('b').times(2), '.timesOrMore(1), where there is now next("b").times(2)'],
      [a.next('b'), a.next('b').next('c'), 'nothing there, where there is now next("c")'],
      [a.next('b').next('c'), a.next('b'), 'next("c"), where there is now nothing'],
      [a.next(p.begin('b').next('c')), a.next(p.begin('b').next('c').optional()), 'now next("c").optional()'],
      [p.anyOf(a, p.begin('b')), p.allOf(a, p.begin('b')), 'anyOf(2 patterns), where there is now allOf(2 patterns)'],
    ]
    for (const [was, is, says] of changes) {
      const snapshot = new PatternMatcher(was).snapshot()
      assert.throws(
        () => PatternMatcher.restore(is, snapshot),
        (e: Error) => e.message.includes(says) || assert.fail(e.message),
      )
    }
  })

  it('goes on with other conditions and other windows', () => {
    const made = (end: string, within: number) =>
      p.begin('x').where(is('a')).followedBy('y').where(is(end)).within(within)
    const first = new PatternMatcher(made('b', 5))
    feed(first, 'a1')
    const second = PatternMatcher.restore(made('c', 50), first.snapshot())
    assert.deepEqual(feed(second, 'b1 c1', 20), ['x=a1 y=c1'])
  })

  it('keeps its options in a snapshot', () => {
    const made = p.begin('x').where(is('a')).times(2)
    const first = new PatternMatcher(made, { skip: AfterMatchSkip.pastLastEvent() })
    feed(first, 'a1')
    assert.deepEqual(feed(PatternMatcher.restore(made, first.snapshot()), 'a2 a3 a4'), ['x=a1,a2', 'x=a3,a4'])
  })
})
