import assert from 'node:assert/strict'
import { AfterMatchSkip, Pattern, patterns, withinOf } from '../../../src/dsl/pattern/index.ts'
import { compile, compileMatcher } from '../../../src/engine/cep/index.ts'
import { PatternError } from '../../../src/errors/index.ts'
import { type Call, vectors } from '../../engine/cep/vectors.ts'

const codes: Readonly<Record<string, string>> = {
  'illegal-argument': 'DHAARA_PATTERN_ARGUMENT',
  'malformed-pattern': 'DHAARA_PATTERN',
  unsupported: 'DHAARA_PATTERN_UNSUPPORTED',
}

/** Calls a chain of methods as untyped code would. */
function build(calls: readonly Call[]): any {
  let skip: any
  let chain: any
  for (const [method, ...args] of calls) {
    if (method === 'compile') return compileMatcher(chain, skip === undefined ? {} : { skip })
    const given = args.map((arg: any) => {
      if (arg?.group !== undefined) return build(arg.group)
      if (arg === 'true' || method === 'subtype') return () => true
      if (arg?.skip !== undefined) {
        skip = arg.skip.kind === 'skipToLast' ? AfterMatchSkip.toLast(arg.skip.to) : AfterMatchSkip.toFirst(arg.skip.to)
        return undefined
      }
      return arg === 'PREVIOUS_AND_CURRENT' ? 'previousToCurrent' : arg
    })
    chain = (chain ?? Pattern)[method](...given.filter((arg) => arg !== undefined))
  }
  return chain
}

const refusedAs = (code: string | undefined) => (e: unknown) =>
  e instanceof PatternError && e.code === code && e.pattern.includes('begin(')

describe('patterns that Flink refuses', () => {
  for (const { calls, error } of vectors.invalidPatterns) {
    it(calls.map(([name, ...args]) => `${name}(${args.map((a) => JSON.stringify(a)).join()})`).join('.'), () => {
      assert.throws(() => build(calls), refusedAs(codes[error]))
    })
  }

  for (const { calls, canMatchEmpty } of vectors.emptyMatch) {
    it(`${JSON.stringify(calls)} ${canMatchEmpty ? 'can' : 'cannot'} match nothing`, () => {
      assert.equal(compile(patterns.open(build(calls))).canMatchEmpty, canMatchEmpty)
    })
  }

  for (const { calls, effectiveWithinMs } of vectors.windowTime) {
    it(`${JSON.stringify(calls)} lasts ${effectiveWithinMs} ms`, () => {
      assert.equal(withinOf(patterns.open(build(calls))), effectiveWithinMs)
    })
  }
})

describe('patterns that dhaara refuses besides', () => {
  const p = Pattern as any
  const yes = (): boolean => true
  const cases: readonly (readonly [what: string, code: string, make: () => unknown])[] = [
    ['an integer as a name', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('1')],
    ['no name', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('')],
    ['a name twice', 'DHAARA_PATTERN', () => p.begin('a').next('a')],
    ['a name twice, once in a group', 'DHAARA_PATTERN', () => p.begin('a').next(p.begin('b').next('c')).next('c')],
    ['a condition that is none', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').where(true)],
    ['a greedy group', 'DHAARA_PATTERN', () => p.begin(p.begin('a')).oneOrMore().greedy()],
    ['a forbidden group', 'DHAARA_PATTERN_UNSUPPORTED', () => p.begin('x').notNext(p.begin('a'))],
    ['no condition', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').where()],
    ['an alternative that is none', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').or(null)],
    ['an end of a loop that is none', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').oneOrMore().until('x')],
    ['two ends of a loop', 'DHAARA_PATTERN', () => p.begin('a').oneOrMore().until(yes).until(yes)],
    ['an end of what is no loop', 'DHAARA_PATTERN', () => p.begin('a').times(2).until(yes)],
    ['a step that is optional twice', 'DHAARA_PATTERN', () => p.begin('a').optional().optional()],
    ['an optional absence', 'DHAARA_PATTERN', () => p.begin('a').notNext('b').optional()],
    ['absence after what may be missing', 'DHAARA_PATTERN_UNSUPPORTED', () => p.begin('a').times(0, 2).notNext('b')],
    ['a greedy step that is no loop', 'DHAARA_PATTERN', () => p.begin('a').optional().greedy()],
    ['greed about combinations', 'DHAARA_PATTERN', () => p.begin('a').oneOrMore().allowCombinations().greedy()],
    ['an optional step after greed', 'DHAARA_PATTERN', () => p.begin('a').oneOrMore().greedy().next('b').optional()],
    ['strictness in what is no loop', 'DHAARA_PATTERN', () => p.begin('a').consecutive()],
    ['strictness twice', 'DHAARA_PATTERN', () => p.begin('a').oneOrMore().consecutive().consecutive()],
    ['a repeated absence', 'DHAARA_PATTERN', () => p.begin('a').notFollowedBy('b').oneOrMore()],
    ['a loop of a loop', 'DHAARA_PATTERN', () => p.begin('a').oneOrMore().times(2)],
    ['no repetition', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').times(0, 0)],
    ['less than half a repetition', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').timesOrMore(0.4)],
    ['a range that goes back', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').times(3, 2)],
    ['a window that is none', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').within(0)],
    ['a window in words', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').within('soon')],
    ['a gap that is none', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').oneOrMore({ gap: -1 })],
    ['a gap outside of its options', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').oneOrMore(3)],
    ['an unknown option', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').times(2, { gab: 3 })],
    [
      'an absence at the end, without a window',
      'DHAARA_PATTERN',
      () => compileMatcher(p.begin('a').notFollowedBy('b')),
    ],
    ['a condition on a group', 'DHAARA_PATTERN_UNSUPPORTED', () => p.begin(p.begin('a')).where(yes)],
    ['the kind of a group', 'DHAARA_PATTERN_UNSUPPORTED', () => p.begin(p.begin('a')).subtype(yes)],
    [
      'a strategy for a forbidden step',
      'DHAARA_PATTERN',
      () => compileMatcher(p.begin('a').notNext('b').next('c'), { skip: AfterMatchSkip.toLast('b' as never) }),
    ],
    ['an unknown kind of window', 'DHAARA_PATTERN_ARGUMENT', () => p.begin('a').within(5, 'x')],
    [
      'a previous window above the whole',
      'DHAARA_PATTERN',
      () => compileMatcher(p.begin('a').next('b').within(9, 'previousToCurrent').within(5)),
    ],
    [
      'a gap above the whole',
      'DHAARA_PATTERN',
      () => compileMatcher(p.begin('a').next('b').oneOrMore({ gap: 9 }).within(5)),
    ],
    [
      'an absence inside of a group',
      'DHAARA_PATTERN_UNSUPPORTED',
      () => compileMatcher(p.begin(p.begin('a').notFollowedBy('b')).next('c').within(5)),
    ],
  ]
  for (const [what, code, make] of cases) it(what, () => assert.throws(make, refusedAs(code)))

  it('what is no pattern', () => {
    for (const given of [undefined, null, 'a', {}, { a: 1 }])
      assert.throws(() => compileMatcher(given as never), { code: 'DHAARA_OPTION' })
  })

  it('points at the step', () => {
    assert.throws(
      () =>
        p
          .begin('a')
          .where(() => true)
          .followedBy('b')
          .oneOrMore()
          .times(2),
      (e: unknown) => {
        assert.ok(e instanceof PatternError)
        assert.equal(e.at, 'b')
        const lines = e.message.split('\n')
        assert.match(lines[0] as string, /^times\(2\): the step has a quantifier already$/)
        assert.equal(lines[1], '  begin("a").where(() => true)')
        assert.equal(lines[2], '> .followedBy("b").oneOrMore().times(2)')
        return true
      },
    )
  })
})
