import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  AfterMatchSkip,
  type MatchOptions,
  type Pattern,
  PatternMatcher,
  serdes,
  StreamsBuilder,
} from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { is, type Item, p } from './items.ts'

const a = p.begin('a').where(is('a'))
const ns = (events: object): string =>
  Object.entries(events)
    .map(([name, list]) => `${name}:${list.map(({ n }: Item) => n)}`)
    .join(' ')

/** Patterns whose first event leaves runs in one state or several, which others keep, end, move or complete. */
const searched: Readonly<Record<string, readonly [Pattern<Item, any>, MatchOptions<Item, any>?]>> = {
  strict: [a.next('b').where(is('b'))],
  'strict in time': [a.next('b').where(is('b')).within(9)],
  relaxed: [a.followedBy('b').where(is('b')).within(9)],
  'relaxed for ever': [a.followedBy('b').where(is('b'))],
  'an optional step between': [a.followedBy('b').where(is('b')).optional().next('c').where(is('c')).within(20)],
  'strict, forbidden next': [a.notNext('d').where(is('d')).followedBy('c').where(is('c')).within(20)],
  absence: [a.notFollowedBy('b').where(is('b')).within(9)],
  'itself again': [a.next('b').where((item) => item.kind === 'a' || item.kind === 'b')],
  'what came before': [
    a.next('b').where((item, ctx) => item.kind === 'b' && item.n % 2 === (ctx.last('a')?.n ?? 0) % 2),
  ],
  'each in any way': [a.followedByAny('b').where(is('b')).within(9)],
  'no more than the first': [a.next('b').where(is('b')), { skip: AfterMatchSkip.pastLastEvent() }],
  'one at once': [a.followedBy('b').where(is('b')).within(9), { maxPartials: 1, whenFull: 'dropOldest' }],
}

function topologyOf(found: Pattern<Item, any>, opts: MatchOptions<Item, any>, hears: boolean) {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
    .match(found, { name: 'find', store: 'open', ...opts })
    .select(
      (match, key) => `${key} ${ns(match)}`,
      hears ? { timedOut: (partial, key, at) => `gone ${key} ${ns(partial)} @${at}` } : {},
    )
    .to('out', { key: serdes.string(), value: serdes.string() })
  return builder.build()
}

const values = (driver: TopologyTestDriver): string[] =>
  driver
    .output('out')
    .readAll()
    .map(({ value }) => value)

const keys = ['k1', 'k2', 'k3']
const events = fc.array(
  fc.record({
    key: fc.constantFrom(...keys),
    kind: fc.constantFrom(...'aaabbcd'),
    pause: fc.nat(3),
    what: fc.constantFrom('go', 'go', 'go', 'go', 'look', 'checkpoint', 'restore', 'crash'),
  }),
  { maxLength: 40 },
)

describe('matches of which there is one event', () => {
  for (const [name, [found, opts = {}]] of Object.entries(searched))
    it(`are those that a bare matcher finds: ${name}`, () => {
      fc.assert(
        fc.property(events, fc.boolean(), fc.constantFrom(0, 1e9), (drawn, hears, cacheBytes) => {
          const topology = topologyOf(found, opts, hears)
          const matchers = new Map(
            keys.map((key) => [key, new PatternMatcher<Item, any>(found, { ...opts, timeouts: hears })]),
          )
          const wanted: string[] = []
          const take = (key: string, result: ReturnType<PatternMatcher<Item, any>['advanceTime']>): void => {
            for (const match of result.matches) wanted.push(`${key} ${ns(match)}`)
            for (const { partial, at } of result.timedOut) wanted.push(`gone ${key} ${ns(partial)} @${at}`)
          }
          let driver = new TopologyTestDriver(topology, { cacheBytes })
          const out: string[] = []
          let since: Item[] = []
          const send = (some: readonly Item[]): void =>
            driver.input('in').sendAll(some.map((value) => ({ value, key: value.key })))
          let at = 0
          for (const [n, { key, kind, pause, what }] of drawn.entries()) {
            at += 1 + pause
            const item = { key, kind, n, at }
            since.push(item)
            send([item])
            // an event waits for the one behind it
            for (const [own, matcher] of matchers) take(own, matcher.advanceTime(at - 1))
            const live = [...matchers.values()].reduce((sum, { livePartials }) => sum + livePartials, 0)
            assert.equal(driver.store('open').livePartials, live)
            take(key, (matchers.get(key) as PatternMatcher<Item, any>).process(item, at))
            if (what === 'look') driver.store('open').get(key)
            else if (what === 'crash') {
              driver.crash()
              send(since)
            } else if (what !== 'go') {
              const restore = driver.checkpoint()
              since = []
              if (what === 'checkpoint') continue
              out.push(...values(driver))
              driver = new TopologyTestDriver(topology, { cacheBytes, restore })
            }
          }
          driver.end()
          out.push(...values(driver))
          for (const [key, matcher] of matchers) take(key, matcher.advanceTime(Number.POSITIVE_INFINITY))
          assert.deepEqual(out.toSorted(), wanted.toSorted())
        }),
        { numRuns: 40 },
      )
    })

  it('are told apart by many keys', () => {
    const driver = new TopologyTestDriver(topologyOf(a.next('b').where(is('b')), {}, false))
    const send = (kind: string, at: number): void => {
      const some = Array.from({ length: 600 }, (_, n) => ({ key: `k${n}`, kind: n % 3 === 0 ? 'd' : kind, n, at }))
      driver.input('in').sendAll(some.map((value) => ({ value, key: value.key })))
    }
    send('a', 1)
    send('a', 2)
    send('d', 3)
    assert.equal(driver.store('open').approximateCount, 400)
    send('a', 4)
    assert.equal(driver.store('open').approximateCount, 0)
    send('b', 5)
    assert.equal(driver.store('open').livePartials, 400)
    driver.end()
    assert.equal(values(driver).length, 400)
    assert.equal(driver.store('open').approximateCount, 0)
  })
})
