import assert from 'node:assert/strict'
import fc from 'fast-check'
import { AfterMatchSkip, Pattern } from '../../../src/dsl/pattern/index.ts'
import { PatternMatcher } from '../../../src/engine/cep/index.ts'
import { serdes, StreamsBuilder } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { type Event, type Found, matchesByDefinition, type Step } from './definition.ts'

const runs = Number(process.env['RUNS'] ?? 300)

// Forbidden letters are no step's own, so that no event is forbidden and taken at once.
const letters = fc.constantFrom('a', 'b', 'c', 'ab', 'bc', 'abc')
const quantifier = fc.constantFrom([1, 1], [1, 1], [2, 2], [1, 2], [2, 3], [1, Infinity], [2, Infinity])
const anyStep = fc.record({
  letters,
  contiguity: fc.constantFrom('next' as const, 'followedBy' as const, 'followedBy' as const, 'followedByAny' as const),
  quantifier,
  inner: fc.constantFrom('relaxed' as const, 'strict' as const, 'any' as const),
  optional: fc.boolean(),
  greedy: fc.boolean(),
  until: fc.constantFrom('', '', 'c', 'd'),
  not: fc.constantFrom(null, null, null, null, 'notNext' as const, 'notFollowedBy' as const),
  forbidden: fc.constantFrom('x', 'y', 'xy'),
  gap: fc.constantFrom(Infinity, Infinity, Infinity, 1, 2, 4),
  sincePrevious: fc.constantFrom(Infinity, Infinity, Infinity, Infinity, 1, 3, 5),
})

/** Makes a pattern of what was drawn; what the library refuses is left out or made plain. */
function stepsOf(drawn: readonly (typeof anyStep extends fc.Arbitrary<infer T> ? T : never)[]): Step[] {
  const steps: Step[] = []
  for (const [i, d] of drawn.entries()) {
    const before = steps.at(-1)
    const plain = {
      name: `s${i}`,
      min: 1,
      max: 1,
      inner: 'relaxed',
      optional: false,
      greedy: false,
      until: '',
      gap: Infinity,
      sincePrevious: Infinity,
    } as const
    const mayForbid = before !== undefined && !before.optional && !before.contiguity.startsWith('not') && !before.greedy
    if (d.not !== null && mayForbid) {
      steps.push({ ...plain, contiguity: d.not, letters: d.forbidden })
      continue
    }
    const [min, max] = d.quantifier as [number, number]
    const once = max === 1
    // Not after greedy steps; after notNext something must come.
    const optional = d.optional && before?.greedy !== true && before?.contiguity !== 'notNext'
    const until = max === Infinity ? d.until : ''
    const greedy = d.greedy && !once && d.inner !== 'any' && min !== max && until === ''
    const contiguity = before === undefined ? 'begin' : d.contiguity
    const gap = once ? Infinity : d.gap
    const sincePrevious = before === undefined ? Infinity : d.sincePrevious
    const { letters: own, inner } = d
    steps.push({
      name: `s${i}`,
      contiguity,
      letters: own,
      min,
      max,
      inner,
      optional,
      greedy,
      until,
      gap,
      sincePrevious,
    })
  }
  return steps
}

const has = (text: string) => (event: Event) => text.includes(event.letter)

function build(steps: readonly Step[], within: number): Pattern<Event, any> {
  let chain: any = Pattern
  for (const step of steps) {
    chain = chain[step.contiguity](step.name).where(has(step.letters))
    if (step.max > 1) {
      const gap = step.gap === Infinity ? {} : { gap: step.gap }
      chain = step.max === Infinity ? chain.timesOrMore(step.min, gap) : chain.times(step.min, step.max, gap)
      if (step.inner === 'strict') chain = chain.consecutive()
      if (step.inner === 'any') chain = chain.allowCombinations()
      if (step.greedy) chain = chain.greedy()
      if (step.until !== '') chain = chain.until(has(step.until))
    }
    if (step.optional) chain = chain.optional()
    if (step.sincePrevious < Infinity) chain = chain.within(step.sincePrevious, 'previousToCurrent')
  }
  return chain.within(within)
}

const events = fc
  .array(fc.tuple(fc.constantFrom(...'aaabbbccdxyz'), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 12 })
  .map((drawn): Event[] => {
    let ts = 0
    return drawn.map(([letter, pause], at) => {
      ts += pause
      return { at, letter, ts }
    })
  })
const pattern = fc.array(anyStep, { minLength: 1, maxLength: 5 }).map(stepsOf)
const windows = fc.constantFrom(5, 8, 1000)

const spellFound = (steps: readonly Step[], { taken }: Found): string =>
  steps.flatMap((step, s) => ((taken[s] as number[]).length > 0 ? [`${step.name}:${taken[s]}`] : [])).join(' ')
const spellMatch = (match: Readonly<Record<string, readonly Event[]>>): string =>
  Object.entries(match)
    .map(([name, list]) => `${name}:${list.map((e) => e.at)}`)
    .join(' ')

/** All matches, in the order they were given; snapshots and restores before the events that `cuts` names. */
function run(
  made: Pattern<Event, any>,
  input: readonly Event[],
  skip: AfterMatchSkip<any>,
  cuts: readonly number[] = [],
) {
  let matcher = new PatternMatcher<Event, any>(made, { skip, timeouts: true })
  const out: string[] = []
  const timedOut: string[] = []
  /** Event in whose turn each match was given; Infinity at the end. */
  const turns: number[] = []
  const take = (result: ReturnType<typeof matcher.advanceTime>): void => {
    out.push(...result.matches.map(spellMatch))
    turns.push(...result.matches.map(() => turn))
    timedOut.push(...result.timedOut.map(({ partial, at }) => `${at} ${spellMatch(partial)}`))
  }
  let turn = 0
  for (const event of input) {
    turn = event.at
    if (cuts.includes(event.at)) matcher = PatternMatcher.restore(made, matcher.snapshot())
    take(matcher.process(event, event.ts))
  }
  turn = Number.POSITIVE_INFINITY
  take(matcher.advanceTime(turn))
  return { out, turns, timedOut, matcher }
}

const skips = fc.oneof(
  fc.constantFrom({ kind: 'toNext' as const }, { kind: 'pastLastEvent' as const }),
  fc.record({ kind: fc.constantFrom('toFirst' as const, 'toLast' as const), to: fc.nat(4) }),
)

describe('matcher and definition', () => {
  it('find the same matches, each once', () => {
    fc.assert(
      fc.property(pattern, events, windows, (steps, input, within) => {
        const expected = matchesByDefinition(steps, input, within).map((found) => spellFound(steps, found))
        const { out, matcher } = run(build(steps, within), input, AfterMatchSkip.none())
        assert.deepEqual(out.toSorted(), expected.toSorted())
        assert.equal(matcher.livePartials, 0)
        assert.equal(matcher.retainedEvents, 0)
      }),
      { numRuns: runs },
    )
  })

  it('agree on what skipping leaves, whichever of equal matches comes first', () => {
    fc.assert(
      fc.property(pattern, events, windows, skips, (steps, input, within, skip) => {
        const takes = steps.filter((step) => !step.contiguity.startsWith('not'))
        const to = 'to' in skip ? (takes[skip.to % takes.length] as Step) : null
        const strategy: AfterMatchSkip<any> =
          to === null ? AfterMatchSkip[skip.kind as 'toNext']() : AfterMatchSkip[skip.kind as 'toLast'](to.name)
        const { out, turns } = run(build(steps, within), input, strategy)
        let left = matchesByDefinition(steps, input, within)
        for (const [i, given] of out.entries()) {
          const earliest = left.filter((m) => m.first === Math.min(...left.map((other) => other.first)))
          // One that waited for a match that began earlier is given with those that came to it meanwhile.
          const now = turns[i] as number
          const match = earliest.find(
            (m) => (m.completeAt <= now || m.completeAt === Infinity) && spellFound(steps, m) === given,
          )
          assert.ok(match, `${given} is none of ${earliest.map((m) => spellFound(steps, m)).join(' | ')}`)
          const all = match.taken.flat()
          const own = to === null ? [] : (match.taken[steps.indexOf(to)] as readonly number[])
          const from =
            skip.kind === 'toNext'
              ? match.first + 1
              : skip.kind === 'pastLastEvent'
                ? (all.at(-1) as number) + 1
                : ((skip.kind === 'toFirst' ? own[0] : own.at(-1)) ?? -1)
          left = left.filter((m) => m !== match && m.first >= from)
        }
        assert.deepEqual(
          left.map((m) => spellFound(steps, m)),
          [],
        )
      }),
      { numRuns: runs },
    )
  })

  it('a snapshot and restore between any two events changes nothing', () => {
    const strategies = fc.constantFrom(AfterMatchSkip.none(), AfterMatchSkip.toNext(), AfterMatchSkip.pastLastEvent())
    fc.assert(
      fc.property(pattern, events, windows, strategies, fc.array(fc.nat(11)), (steps, input, within, skip, cuts) => {
        const made = build(steps, within)
        const { out, timedOut } = run(made, input, skip)
        const again = run(made, input, skip, cuts)
        assert.deepEqual(again.out, out)
        assert.deepEqual(again.timedOut, timedOut)
        assert.equal(again.matcher.retainedEvents, 0)
      }),
      { numRuns: runs },
    )
  })

  it('match gives the same, wherever the state lies, through checkpoints and restores', () => {
    const strategies = fc.constantFrom(AfterMatchSkip.none(), AfterMatchSkip.none(), AfterMatchSkip.pastLastEvent())
    const many = fc.array(fc.tuple(fc.constantFrom(...'aaabbbccdxyz'), fc.nat(3)), { minLength: 20, maxLength: 40 })
    const cuts = fc.record({ every: fc.integer({ min: 1, max: 6 }), restores: fc.boolean(), hears: fc.boolean() })
    fc.assert(
      fc.property(pattern, many, fc.constantFrom(5, 9), strategies, cuts, (steps, drawn, within, skip, cut) => {
        let ts = 0
        const input = drawn.map(([letter, pause], at): Event => ({ at, letter, ts: (ts += pause) }))
        const made = build(steps, within)
        const { out, timedOut } = run(made, input, skip)
        const told = throughMatch(made, input, skip, cut)
        assert.deepEqual(told.out, out)
        assert.deepEqual(told.timedOut, cut.hears ? timedOut : [])
      }),
      { numRuns: Math.ceil(runs / 2) },
    )
  })
})

/** The same through a topology that keeps nothing in memory that it need not. */
function throughMatch(
  made: Pattern<Event, any>,
  input: readonly Event[],
  skip: AfterMatchSkip<any>,
  { every, restores, hears }: { readonly every: number; readonly restores: boolean; readonly hears: boolean },
) {
  const timedOut = (partial: object, _key: unknown, at: number) => ({
    timedOut: `${at} ${spellMatch(partial as never)}`,
  })
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: serdes.string(), value: serdes.json<Event>(), timestamp: (event) => event.ts })
    .match(made, { skip, store: 'runs' })
    .select((match) => ({ out: spellMatch(match) }) as { out?: string; timedOut?: string }, hears ? { timedOut } : {})
    .to('out', { key: serdes.string(), value: serdes.json<any>() })
  const topology = builder.build()
  let driver = new TopologyTestDriver(topology, { cacheBytes: 0, strict: false })
  const rows: { out?: string; timedOut?: string }[] = []
  const read = () =>
    rows.push(
      ...driver
        .output('out')
        .readAll()
        .map(({ value }) => value),
    )
  for (const event of input) {
    driver.input('in').send(event, { key: 'k' })
    if (event.at % every !== 0) continue
    const restore = driver.checkpoint()
    if (!restores) continue
    read()
    driver = new TopologyTestDriver(topology, { cacheBytes: 0, strict: false, restore })
  }
  driver.end()
  read()
  assert.deepEqual([...driver.store('runs').all()], [])
  const those = (name: 'out' | 'timedOut') => rows.flatMap((row) => (row[name] === undefined ? [] : [row[name]]))
  return { out: those('out'), timedOut: those('timedOut') }
}
