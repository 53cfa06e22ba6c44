/* oxlint-disable no-unused-expressions, no-unused-vars */
// biome-ignore-all format: an expected error speaks of the one line below it
/** Patterns on streams: what must compile, and what must not. */
import { AfterMatchSkip, anyOf, Pattern, PatternMatcher, pattern, StreamsBuilder, serdes } from '../../src/index.ts'

interface Order { orderId: string; total: number }
type StockEvent = { type: 'order'; size: number; side: 'buy' | 'sell'; at: number } | { type: 'trade'; price: number; at: number } | { type: 'cancel'; reason: string; at: number }

const builder = new StreamsBuilder()
const orders = builder.stream('orders', { key: serdes.string(), value: serdes.json<Order>() })
const ticks = builder.stream('ticks', { key: serdes.string(), value: serdes.json<StockEvent>(), timestamp: (e) => e.at })

// ---------------------------------------------------------------------- patterns
const isOrder = (e: StockEvent): e is Extract<StockEvent, { type: 'order' }> => e.type === 'order' // a guard used twice
const manipulation = pattern<StockEvent>()
  .begin('large').subtype(isOrder).where((e) => e.size > 50_000)
  .followedBy('reversal').subtype(isOrder).where((e, ctx) => e.size > 30_000 && e.side !== ctx.eventsFor('large')[0].side)
  .followedByAny('trades').where((e) => e.type === 'trade').oneOrMore({ gap: '3s' }).until((e) => e.type === 'cancel').optional().greedy()
  .within('1m')
const suspicious = ticks.match(manipulation, { skip: AfterMatchSkip.toLast('reversal', { throwOnMiss: true }), maxPartials: 1000, whenFull: 'dropOldest', orderBy: (a, b) => a.at - b.at })
  .late('ticks-late')
  .select((m, symbol) => ({ symbol, first: m.large[0].side, size: m.reversal[0].size, n: m.trades?.length ?? 0, price: m.trades?.[0].price }), {
    timedOut: (partial, symbol, at) => ({ symbol, at, began: partial.large?.[0].at }),
  })
suspicious.filter((s) => 'size' in s).mapValues((s) => s.size)
// inline: T comes from the stream; the counting context is typed by name
ticks.groupByKey().match((p) => p
  .begin('up').where((e) => e.type === 'trade').times(3).consecutive()
  .notFollowedBy('drop').where((e, ctx) => e.type === 'trade' && e.price < (ctx.last('up')?.price ?? 0))
  .followedBy('sell').where((e, ctx) => e.type === 'order' && ctx.count('up') === 3 && ctx.sum('up', (u) => u.price) > 10)
  .within('5m'), { skip: AfterMatchSkip.pastLastEvent() }).select((m) => [m.up[0].price, m.sell.length])
const one = pattern<StockEvent>()
const grouped = one.begin('x').followedBy(one.anyOf(one.begin('a').where((e) => e.type === 'trade'), one.begin('b').subtype(isOrder).next('c'))).times(2)
ticks.match(grouped).select((m) => [m.x[0].at, m.a?.[0].price, m.b?.[0].size, m.c?.[0].type])
ticks.match({ bull: manipulation, bear: one.begin('z') }, { maxPartials: 10 }).select((t) => (t.pattern === 'bull' ? t.match.large[0].size : t.match.z[0].at))
const matcher = new PatternMatcher(manipulation, { skip: AfterMatchSkip.none(), timeouts: true })
matcher.process({ type: 'cancel', reason: '', at: 1 }, 1).matches.map((m) => m.large[0].size)
PatternMatcher.restore(manipulation, matcher.snapshot()).advanceTime(5).timedOut.map((t) => t.partial.large?.[0].size)
new PatternMatcher(Pattern.begin('a').where((e) => e.x > 1).followedBy(anyOf(Pattern.begin('b'), Pattern.begin('c'))), {})

// @ts-expect-error misspelt pattern name
one.begin('large').followedBy('next').where((e, ctx) => ctx.eventsFor('lagre').length > 0)
// @ts-expect-error misspelt name in the match
ticks.match(manipulation).select((m) => m.larg)
// @ts-expect-error misspelt name in the skip strategy
ticks.match(manipulation, { skip: AfterMatchSkip.toFirst('larg') })
// @ts-expect-error a second quantifier
one.begin('a').oneOrMore().times(2)
// @ts-expect-error optional twice
one.begin('a').optional().optional()
// @ts-expect-error until needs an open loop
one.begin('a').times(2).until(() => true)
// @ts-expect-error a negative step has no quantifier
one.begin('a').notNext('b').oneOrMore()
// @ts-expect-error a group has no condition of its own
one.begin(one.begin('a')).where(() => true)
// @ts-expect-error names are unique
one.begin('a').next('a')
// @ts-expect-error integers change the order of a match's properties
one.begin('1')
// @ts-expect-error the pattern reads other events
orders.match(manipulation)
// @ts-expect-error an optional step may be absent
ticks.match(manipulation).select((m) => m.trades.length)
