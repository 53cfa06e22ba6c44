/**
 * The matcher alone, one a key: events of types A, B, C, D (10, 10, 10, 70 %), one a millisecond, in order of time.
 *
 *     node bench/micro/cep.ts [events] [keys] [name]
 *
 * `dense` is the loop by a hundredth of the keys. Rates are of the thread's own time.
 */
import { AfterMatchSkip, type MatcherOptions, type Pattern, pattern } from '../../src/dsl/pattern/index.ts'
import { compileMatcher, KeyedMatcher } from '../../src/engine/cep/index.ts'

interface Event {
  readonly key: number
  readonly type: string
  readonly at: number
}

const total = Number(process.argv[2] ?? 2_000_000)
const keys = Number(process.argv[3] ?? 10_000)
const only = process.argv[4]

const p = pattern<Event>()
const is = (type: string) => (e: Event) => e.type === type
const a = p.begin('a').where(is('A'))
const strict = a.next('b').where(is('B'))
const relaxed = a.followedBy('b').where(is('B')).followedBy('c').where(is('C')).within('10s')
const loop = a.followedBy('b').where(is('B')).oneOrMore().followedBy('c').where(is('C')).within('10s')
const iterative = a
  .followedBy('b')
  .where((e, ctx) => e.type === 'B' && e.at > (ctx.last('a')?.at ?? 0))
  .oneOrMore()
  .followedBy('c')
  .where((e, ctx) => e.type === 'C' && ctx.count('b') > 0)
  .within('10s')

const cases: readonly (readonly [
  name: string,
  made: Pattern<Event, any>,
  keys: number,
  opts: MatcherOptions<Event, any>,
])[] = [
  ['strict', strict, keys, {}],
  ['relaxed', relaxed, keys, {}],
  ['loop', loop, keys, {}],
  ['loop, skip past last', loop, keys, { skip: AfterMatchSkip.pastLastEvent() }],
  ['iterative', iterative, keys, {}],
  ['dense', loop, Math.max(1, keys / 100), {}],
]

/** Events of a fixed seed. */
function make(n: number): Event[] {
  let seed = 42
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  return Array.from({ length: total }, (_, i) => ({ key: next(n), type: 'ABCDDDDDDD'[next(10)] as string, at: i }))
}

for (const [name, made, n, opts] of cases) {
  if (only !== undefined && !name.startsWith(only)) continue
  const events = make(n)
  const compiled = compileMatcher(made, opts)
  let matches = 0
  const sink = { onMatch: () => void matches++, onTimeout: () => {} }
  const matchers = new Map<number, KeyedMatcher>()
  // Time of this thread, so that a busy machine shows less.
  const begun = process.threadCpuUsage()
  for (const event of events) {
    let matcher = matchers.get(event.key)
    if (matcher === undefined) {
      matcher = new KeyedMatcher(compiled, sink)
      matchers.set(event.key, matcher)
    }
    matcher.process(event, event.at)
  }
  const { user, system } = process.threadCpuUsage(begun)
  const seconds = (user + system) / 1e6
  const rate = `${(total / seconds / 1e6).toFixed(2)} M events/s`
  console.log(`cep-${name.padEnd(22)} ${rate.padStart(18)} ${matches} matches, ${n} keys`)
}
