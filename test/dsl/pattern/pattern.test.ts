import assert from 'node:assert/strict'
import { anyOf, Pattern, pattern } from '../../../src/dsl/pattern/index.ts'
import { PatternMatcher } from '../../../src/engine/cep/index.ts'
import { PatternError } from '../../../src/errors/index.ts'

const p = pattern<{ n: number }>()

describe('Pattern', () => {
  it('is immutable: what follows a step leaves the step as it was', () => {
    const a = p.begin('a').where((e) => e.n === 1)
    const before = a.describe()
    a.where((e) => e.n > 5)
      .oneOrMore()
      .followedBy('b')
    assert.equal(a.describe(), before)
    assert.ok(Object.isFrozen(a))
    assert.equal(new PatternMatcher(a).process({ n: 1 }, 1).matches.length, 1)
  })

  it('joins where by and, or by or', () => {
    const made = p
      .begin('a')
      .where((e) => e.n > 1)
      .where((e) => e.n < 5)
      .or((e) => e.n === 9)
    const found = [1, 2, 5, 9].filter((n) => new PatternMatcher(made).process({ n }, 1).matches.length === 1)
    assert.deepEqual(found, [2, 9])
  })

  it('keeps optional, whether it is said before or after the quantifier', () => {
    const [before, after] = [p.begin('a').optional().oneOrMore(), p.begin('a').oneOrMore().optional()]
    assert.equal(before.describe(), after.describe())
  })

  it('reads times(0, n) as optional', () => {
    assert.equal(p.begin('a').times(0, 2).describe(), p.begin('a').times(1, 2).optional().describe())
  })

  it('describes itself', () => {
    const made = p
      .begin('a')
      .where((e) => e.n > 1)
      .followedBy('b')
      .oneOrMore({ gap: '3s' })
      .greedy()
      .until((e) => e.n === 0)
      .notFollowedBy('c')
      .next(anyOf(Pattern.begin('d'), Pattern.begin('e').next('f')))
      .times(2)
      .consecutive()
      .followedByAny('g')
      .optional()
      .within('1s', 'previousToCurrent')
      .within('1m')
    assert.equal(
      made.describe(),
      [
        'begin a where …',
        'followedBy b {1,} greedy until … gaps below 3000 ms',
        'notFollowedBy c',
        'next group {2} consecutive',
        '  any of',
        '  - begin d',
        '  - begin e',
        '    next f',
        'followedByAny g optional less than 1000 ms after the event before less than 60000 ms after the first event',
      ].join('\n'),
    )
  })

  it('draws itself', () => {
    assert.equal(
      p.begin('a').notNext('n').followedBy('b').optional().next(p.begin('c').times(2)).toMermaid(),
      [
        'flowchart LR',
        '  s0((start))',
        '  s1["a"]',
        '  s0 --> s1',
        '  s2{{"n"}}',
        '  s1 --x|notNext| s2',
        '  s3["b optional"]',
        '  s1 -.->|followedBy| s3',
        '  subgraph s4["group"]',
        '    s5["c {2}"]',
        '    s1 -->|next| s5',
        '    s3 -->|next| s5',
        '    s5 --> s5',
        '  end',
        '  s6(((match)))',
        '  s5 --> s6',
      ].join('\n'),
    )
  })
})

describe('Pattern.fromJSON', () => {
  const matches = (json: unknown, events: readonly object[]): number => {
    const matcher = new PatternMatcher(Pattern.fromJSON(json))
    return events.reduce((sum, event, t) => sum + matcher.process(event, t).matches.length, 0)
  }
  const one = (where: unknown): object => ({ steps: [{ contiguity: 'begin', name: 'a', where }] })

  it('compares fields, of one type only', () => {
    const cases: readonly (readonly [string, unknown, unknown, boolean])[] = [
      ['eq', 1, 1, true],
      ['eq', 1, '1', false],
      ['ne', 1, 2, true],
      ['gt', 2, 1, true],
      ['gt', '2', 1, false],
      ['gte', 1, 1, true],
      ['lt', 'a', 'b', true],
      ['lte', 2, 1, false],
      ['contains', 'abc', 'b', true],
      ['startsWith', 'abc', 'a', true],
      ['endsWith', 'abc', 'a', false],
      ['contains', 5, 'b', false],
    ]
    for (const [op, found, value, result] of cases) {
      const where = { all: [{ any: [{ field: 'x.y', op, value }] }] }
      assert.equal(matches(one(where), [{ x: { y: found } }]), result ? 1 : 0, `${found} ${op} ${value}`)
      assert.equal(matches(one(where), [{}]), op === 'ne' ? 1 : 0)
    }
  })

  it('sees own fields only', () => {
    assert.equal(matches(one({ field: 'constructor', op: 'ne', value: 1 }), [{}]), 1)
    assert.equal(matches(one({ field: 'toString.name', op: 'eq', value: 'toString' }), [{}]), 0)
  })

  it('knows groups, choices, quantifiers and windows', () => {
    const json = {
      steps: [
        { contiguity: 'begin', name: 'a' },
        {
          contiguity: 'followedBy',
          group: { steps: [{ contiguity: 'begin', name: 'b' }] },
          quantifier: { min: 2, max: null, consecutive: true },
          withinPrevMs: 5,
        },
        { contiguity: 'next', anyOf: [{ steps: [{ contiguity: 'begin', name: 'c' }] }] },
        { contiguity: 'next', name: 'd', quantifier: { min: 0, max: 2, gapMs: 3 } },
      ],
      within: '1m',
    }
    assert.equal(
      Pattern.fromJSON(json).describe(),
      [
        'begin a',
        'followedBy group {2,} consecutive less than 5 ms after the event before',
        '  begin b',
        'next group',
        '  any of',
        '  - begin c',
        'next d {1,2} gaps below 3 ms optional less than 60000 ms after the first event',
      ].join('\n'),
    )
  })

  it('says where the data is wrong', () => {
    const step = { contiguity: 'begin', name: 'a' }
    const cases: readonly (readonly [unknown, string])[] = [
      [5, 'pattern'],
      [{ steps: [] }, 'steps'],
      [{ steps: [{ contiguity: 'next', name: 'a' }] }, 'steps[0].contiguity'],
      [{ steps: [step, step] }, 'steps[1].contiguity'],
      [{ steps: [{ contiguity: 'begin' }] }, 'steps[0].name'],
      [{ steps: [{ ...step, wher: true }] }, 'steps[0].wher'],
      [one({ field: 'x', op: 'like', value: 1 }), 'steps[0].where.op'],
      [one({ field: 'x', op: 'hasOwnProperty', value: 1 }), 'steps[0].where.op'],
      [one({ all: [{ field: 'x', op: 'contains', value: 1 }] }), 'steps[0].where.all[0].value'],
      [one({ js: 'process.exit()' }), 'steps[0].where.js'],
      [{ steps: [{ ...step, quantifier: { max: 2 } }] }, 'steps[0].quantifier.min'],
    ]
    for (const [json, at] of cases) {
      assert.throws(
        () => Pattern.fromJSON(json),
        (e: unknown) => e instanceof PatternError && e.at === at && e.message.startsWith(`${at}: found`),
        at,
      )
    }
  })
})
