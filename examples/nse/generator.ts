import { ArrivalQueue } from '../lib/arrival-queue.ts'
import { delays } from '../lib/delays.ts'
import { rupees } from '../lib/india.ts'
import { writeLines } from '../lib/json-lines.ts'
import { command, defaultParams, type GeneratorParams } from '../lib/options.ts'
import { Random, weighted } from '../lib/random.ts'
import type { StockEvent } from './events.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
/** The opening bell, 09:15 in India. */
const START = Date.UTC(2024, 5, 4, 3, 45)

const SYMBOLS = [
  'RELIANCE',
  'TCS',
  'HDFC',
  'INFY',
  'ICICIBANK',
  'SBIN',
  'BHARTIARTL',
  'ITC',
  'KOTAKBANK',
  'LT',
  'HCLTECH',
  'AXISBANK',
  'ASIANPAINT',
  'MARUTI',
]
const GOOD_NEWS = [
  '{} reports record quarterly profits with 25% growth',
  '{} announces major expansion plan worth 5000 crores',
]
const BAD_NEWS = [
  '{} faces regulatory investigation over compliance issues',
  '{} reports decline in quarterly revenue by 15%',
]
const NEWS = [
  ...GOOD_NEWS,
  '{} bags significant government contract',
  '{} launches innovative product in Indian market',
  ...BAD_NEWS,
  '{} announces job cuts amid market downturn',
  '{} faces lawsuit from major competitor',
]
const eventType = weighted<StockEvent['eventType']>([
  ['trade', 0.62],
  ['order', 0.3],
  ['price_alert', 0.06],
  ['volume_spike', 0.01],
  ['news', 0.01],
])
const orderSize = weighted<readonly [number, number]>([
  [[100, 9_999], 0.9],
  [[10_000, 49_999], 0.09],
  [[50_001, 100_000], 0.01],
])

/** An event without its number. */
type Draft = Omit<StockEvent, 'eventId'>

/** A session's events in the order of arrival: random trading, and for each 2,000 events one burst of each kind. */
export function* generate(params: Partial<GeneratorParams> = {}): Generator<StockEvent> {
  const { seed, count, late, disorder } = { ...defaultParams, ...params }
  const random = new Random(seed)
  const delay = delays(new Random(seed, 1), {
    disorder,
    late,
    bound: 5 * SECOND,
    slightly: [5 * SECOND + 1, 30 * SECOND],
    very: [MINUTE, 5 * MINUTE],
  })
  const scripted = bursts(random, count)
  const underWay = new ArrivalQueue<StockEvent>()
  const gap = () => Math.round(random.exponential() * SECOND)
  let time = START + gap()
  let next = 0
  for (let n = 0; n < count; n++) {
    const script = scripted[next]
    let draft: Draft
    if (script !== undefined && (script.timestamp <= time || scripted.length - next >= count - n)) {
      draft = script
      next++
    } else {
      draft = trading(random, time)
      time += gap()
    }
    while (underWay.next <= draft.timestamp) yield underWay.shift()
    const event = { eventId: `E${String(n + 1).padStart(8, '0')}`, ...draft }
    const wait = delay()
    if (wait === 0) yield event
    else underWay.push(draft.timestamp + wait, event)
  }
  yield* underWay.until(Number.POSITIVE_INFINITY)
}

function trading(random: Random, timestamp: number): Draft {
  const i = random.int(0, SYMBOLS.length - 1)
  const symbol = SYMBOLS[i] as string
  const near = (spread: number) => basePrice(i) + random.int(-rupees(spread), rupees(spread))
  switch (eventType(random)) {
    case 'trade':
      return trade(symbol, timestamp, near(50), random.int(100, 10_000))
    case 'order':
      return order(symbol, timestamp, random.chance(0.5) ? 'buy' : 'sell', random.int(...orderSize(random)), near(20))
    case 'price_alert':
      return { ...nothing, eventType: 'price_alert', symbol, timestamp, pricePaise: near(100) }
    case 'volume_spike':
      return spike(symbol, timestamp, random.int(50_000, 500_000))
    case 'news':
      return news(symbol, timestamp, random.pick(NEWS))
  }
}

/** One burst of each kind for 2,000 events, by time. */
function bursts(random: Random, count: number): Draft[] {
  const drafts: Draft[] = []
  for (let set = 0; set < Math.floor(count / 2000); set++) {
    for (const burst of [spikeAndNews, newsAndSales, insiders, risingTrades, reversal]) {
      const start = START + random.int(0, count * SECOND)
      drafts.push(...burst(random, random.int(0, SYMBOLS.length - 1), start))
    }
  }
  return drafts.sort((a, b) => a.timestamp - b.timestamp)
}

function spikeAndNews(random: Random, i: number, start: number): Draft[] {
  const symbol = SYMBOLS[i] as string
  return [
    spike(symbol, start, random.int(50_000, 500_000)),
    news(symbol, start + random.int(2 * MINUTE, 9 * MINUTE), random.pick(GOOD_NEWS)),
  ]
}

function newsAndSales(random: Random, i: number, start: number): Draft[] {
  const symbol = SYMBOLS[i] as string
  const sales = [1, 2, 3].map(() => order(symbol, start + random.int(SECOND, 4 * MINUTE), 'sell', 20_000, basePrice(i)))
  return [news(symbol, start, random.pick(BAD_NEWS)), ...sales]
}

function insiders(random: Random, i: number, start: number): Draft[] {
  const symbol = SYMBOLS[i] as string
  return [spike(symbol, start, 400_000), news(symbol, start + random.int(6 * MINUTE, 29 * MINUTE), random.pick(NEWS))]
}

function risingTrades(_: Random, i: number, start: number): Draft[] {
  return [1, 2, 3, 4, 5].map((n) =>
    trade(SYMBOLS[i] as string, start + n * 10 * SECOND, basePrice(i) + rupees(50 + n), 1000),
  )
}

function reversal(random: Random, i: number, start: number): Draft[] {
  const symbol = SYMBOLS[i] as string
  const sell = (size: number) => order(symbol, start + random.int(SECOND, 50 * SECOND), 'sell', size, basePrice(i))
  return [order(symbol, start, 'buy', 80_000, basePrice(i)), sell(45_000), sell(60_000)]
}

const nothing = { pricePaise: null, volume: null, newsText: null, orderType: null, orderSize: null }

function trade(symbol: string, timestamp: number, pricePaise: number, volume: number): Draft {
  return { ...nothing, eventType: 'trade', symbol, timestamp, pricePaise, volume }
}

function order(
  symbol: string,
  timestamp: number,
  orderType: 'buy' | 'sell',
  orderSize: number,
  pricePaise: number,
): Draft {
  return { ...nothing, eventType: 'order', symbol, timestamp, pricePaise, orderType, orderSize }
}

function spike(symbol: string, timestamp: number, volume: number): Draft {
  return { ...nothing, eventType: 'volume_spike', symbol, timestamp, volume }
}

function news(symbol: string, timestamp: number, text: string): Draft {
  return { ...nothing, eventType: 'news', symbol, timestamp, newsText: text.replace('{}', symbol) }
}

/** In paise. */
function basePrice(i: number): number {
  return rupees(1000 + 137 * i)
}

if (import.meta.main) {
  await command((options) => writeLines(generate(options), options))
}
