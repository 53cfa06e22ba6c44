import type { StockEvent } from '../../examples/nse/events.ts'
import type { Mode, Row } from './compare.ts'

/**
 * What the NSE job must put out, computed in plain loops over the events in the order of their arrival in one partition.
 * Each pattern is followed by hand in Flink CEP's manner; slow and obvious on purpose, it shares nothing with the topology.
 */
export const nseModes: Record<string, Mode> = {
  'nse-sebi': 'multiset',
  'nse-surveillance': 'multiset',
  'nse-trading-desks': 'multiset',
  'nse-risk': 'multiset',
  'nse-symbols': 'last',
  'nse-late': 'multiset',
}

const SECOND = 1000
const MINUTE = 60 * SECOND

interface PatternRule {
  readonly name: string
  readonly recipient: string
  readonly find: (events: readonly StockEvent[]) => StockEvent[][]
}

const RULES: readonly PatternRule[] = [
  {
    name: 'bull_run',
    recipient: 'nse-trading-desks',
    find: (events) =>
      pairs(events, 10 * MINUTE, isSpike, (e) => e.eventType === 'news' && sentiment(e.newsText as string) > 0),
  },
  {
    name: 'bear_signal',
    recipient: 'nse-risk',
    find: (events) =>
      pairs(
        events,
        5 * MINUTE,
        (e) => e.eventType === 'news' && sentiment(e.newsText as string) < 0,
        (e) => e.eventType === 'order' && e.orderType === 'sell' && (e.orderSize as number) > 10_000,
      ),
  },
  { name: 'insider_trading', recipient: 'nse-sebi', find: insiderTrading },
  { name: 'momentum_trading', recipient: 'nse-trading-desks', find: momentumTrading },
  {
    name: 'market_manipulation',
    recipient: 'nse-surveillance',
    find: (events) =>
      pairs(
        events,
        MINUTE,
        (e) => e.eventType === 'order' && (e.orderSize as number) > 50_000,
        (e, first) => e.eventType === 'order' && e.orderType !== first.orderType && (e.orderSize as number) > 30_000,
      ),
  },
]

export function nseModel(events: readonly StockEvent[]): Record<string, Row[]> {
  const outputs: Record<string, Row[]> = {}
  for (const topic of Object.keys(nseModes)) outputs[topic] = []

  const bySymbol = new Map<string, StockEvent[]>()
  let highest = Number.NEGATIVE_INFINITY
  for (const event of events) {
    const { eventId, symbol, timestamp } = event
    if (timestamp <= highest - 5 * SECOND - 1) {
      outputs['nse-late']?.push({ key: eventId, value: { eventId, symbol, timestamp } })
    } else {
      bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), event])
    }
    highest = Math.max(highest, timestamp)
  }

  for (const [symbol, arrived] of bySymbol) {
    const inOrder = [...arrived].sort((a, b) => a.timestamp - b.timestamp) // equal ones stay as they came
    const counts: Record<string, number> = {}
    let total = 0
    for (const { name, recipient, find } of RULES) {
      const matches = find(inOrder)
      for (const match of matches) outputs[recipient]?.push({ key: symbol, value: signal(name, symbol, match) })
      counts[name] = matches.length
      total += matches.length
    }
    if (total > 0) outputs['nse-symbols']?.push({ key: symbol, value: { ...counts, total } })
  }
  return outputs
}

function signal(pattern: string, symbol: string, match: readonly StockEvent[]) {
  const from = (match[0] as StockEvent).timestamp
  const to = (match.at(-1) as StockEvent).timestamp
  const speed = Math.max(0, 20 - Math.floor((to - from) / 6000))
  const confidence = 50 + Math.min(10 * match.length, 30) + speed + (pattern === 'insider_trading' ? 20 : 0)
  return { pattern, symbol, events: match.map((e) => e.eventId), from, to, confidence: Math.min(100, confidence) }
}

/**
 * First => second within the time, skip past the last event. In the three patterns of this shape an event that finishes one
 * open match finishes all (a large order has finished the open ones of the other type): the one that began first is taken,
 * and all that began before its end are dropped, also one that would begin with its last event.
 */
function pairs(
  events: readonly StockEvent[],
  within: number,
  isFirst: (event: StockEvent) => boolean,
  isSecond: (event: StockEvent, first: StockEvent) => boolean,
): StockEvent[][] {
  const matches: StockEvent[][] = []
  let open: StockEvent[] = [] // where matches began
  for (const event of events) {
    open = open.filter((first) => event.timestamp - first.timestamp < within)
    const first = open.find((candidate) => isSecond(event, candidate))
    if (first !== undefined) {
      matches.push([first, event])
      open = []
    } else if (isFirst(event)) {
      open.push(event)
    }
  }
  return matches
}

/** Each spike with the first news at least 5 and less than 30 minutes after it. */
function insiderTrading(events: readonly StockEvent[]): StockEvent[][] {
  const matches: StockEvent[][] = []
  events.forEach((spike, i) => {
    if (!isSpike(spike)) return
    const news = events.slice(i + 1).find((event) => {
      const after = event.timestamp - spike.timestamp
      return event.eventType === 'news' && after >= 5 * MINUTE && after < 30 * MINUTE
    })
    if (news !== undefined) matches.push([spike, news])
  })
  return matches
}

/** Four trades in a row that rise, in less than 3 minutes; the next match begins after them. */
function momentumTrading(events: readonly StockEvent[]): StockEvent[][] {
  const trades = events.filter((event) => event.eventType === 'trade')
  const matches: StockEvent[][] = []
  for (let i = 0; i + 4 <= trades.length; ) {
    const four = trades.slice(i, i + 4)
    const prices = four.map((event) => event.pricePaise as number)
    const rising = prices.every((price, n) => n === 0 || price > (prices[n - 1] as number))
    const lasts = (four[3] as StockEvent).timestamp - (four[0] as StockEvent).timestamp
    if (rising && lasts < 3 * MINUTE) {
      matches.push(four)
      i += 4
    } else {
      i++
    }
  }
  return matches
}

function isSpike(event: StockEvent): boolean {
  return event.eventType === 'volume_spike'
}

const POSITIVE =
  'profit growth expansion success achievement breakthrough record high surge boom bull gain rise increase'.split(' ')
const NEGATIVE =
  'loss decline fall crash bear recession bankruptcy fraud scandal investigation penalty fine debt'.split(' ')

/** Above zero for positive news, below for negative. */
export function sentiment(text: string): number {
  const words = text.toLowerCase().split(/[^a-z]+/)
  const found = (list: readonly string[]) => list.filter((word) => words.includes(word)).length
  return found(POSITIVE) - found(NEGATIVE)
}
