import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Condition, AfterMatchSkip, patternFromJSON } from '../../../src/dsl/pattern/index.ts'
import { PatternMatcher } from '../../../src/engine/cep/index.ts'

type ByName = Readonly<Record<string, readonly number[]>>
interface Case {
  readonly name: string
  readonly pattern: { readonly steps: readonly object[] }
  readonly within?: number
  readonly skip?: { readonly kind: 'toNext' | 'pastLastEvent' | 'toFirst' | 'toLast'; readonly to?: string }
  /** A letter and its time each. */
  readonly events: string
  /** What Flink gives: events by name, numbered from 0. */
  readonly matches: readonly ByName[]
  readonly timeouts: readonly { readonly partial: ByName; readonly at: number }[]
  /** Of what is not the same here: the words of docs/patterns.md that say why. */
  readonly argued?: string
}
interface Letter {
  readonly letter: string
  readonly i: number
}

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const cases = JSON.parse(read('test/vectors/cep-recorded.json')) as Case[]
const rules = read('docs/patterns.md').replaceAll(/\s+/g, ' ')

/** One of these letters; as long as `of` has fewer than `below` events. */
const letters = (json: Readonly<Record<string, unknown>>): Condition | undefined => {
  const { letters: some, of, below } = json as { letters?: string; of?: string; below?: number }
  if (some === undefined) return undefined
  return ({ letter }: Letter, ctx) =>
    some.includes(letter) && (of === undefined || ctx.count(of) < (below ?? Number.POSITIVE_INFINITY))
}

const spell = (match: ByName): string =>
  Object.entries(match)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ids]) => `${name}:${ids}`)
    .join(' ')
const numbers = (match: object): ByName =>
  Object.fromEntries(Object.entries(match).map(([name, list]) => [name, list.map(({ i }: Letter) => i)]))

function run({ pattern, within, skip, events }: Case) {
  const made = patternFromJSON<Letter>(within === undefined ? pattern : { ...pattern, within }, letters)
  const strategy =
    skip === undefined
      ? AfterMatchSkip.none()
      : skip.kind === 'toFirst' || skip.kind === 'toLast'
        ? AfterMatchSkip[skip.kind](skip.to as string)
        : AfterMatchSkip[skip.kind]()
  const matcher = new PatternMatcher<Letter, any>(made, { skip: strategy, timeouts: true })
  const matches: string[] = []
  const timeouts = new Set<string>()
  const take = (result: ReturnType<typeof matcher.advanceTime>): void => {
    for (const match of result.matches) matches.push(spell(numbers(match)))
    for (const { partial, at } of result.timedOut) timeouts.add(`${at} ${spell(numbers(partial))}`)
  }
  for (const [i, event] of events.split(' ').entries())
    take(matcher.process({ letter: event[0] as string, i }, Number(event.slice(1))))
  take(matcher.advanceTime(1e9))
  return { matches: matches.toSorted(), timeouts: [...timeouts].toSorted() }
}

describe('matches as Flink gives them', () => {
  for (const one of cases)
    it(one.name, () => {
      const theirs = {
        matches: one.matches.map(spell).toSorted(),
        // several partial matches of the same events are one here
        timeouts: [...new Set(one.timeouts.map(({ partial, at }) => `${at} ${spell(partial)}`))].toSorted(),
      }
      if (one.argued === undefined) assert.deepEqual(run(one), theirs)
      else {
        assert.ok(rules.includes(one.argued), `docs/patterns.md does not say ${one.argued}`)
        assert.notDeepEqual(run(one), theirs)
      }
    })
})
