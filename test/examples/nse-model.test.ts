import assert from 'node:assert/strict'
import type { StockEvent } from '../../examples/nse/events.ts'
import { nseModel, sentiment } from './nse-model.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const T = Date.UTC(2024, 5, 4, 4)
const GOOD = 'TCS reports record profit'
const BAD = 'TCS faces a fraud investigation'

let ids = 0
function event(at: number, fields: Partial<StockEvent>): StockEvent {
  return {
    eventId: `e${++ids}`,
    eventType: 'price_alert',
    symbol: 'TCS',
    timestamp: T + at,
    pricePaise: null,
    volume: null,
    newsText: null,
    orderType: null,
    orderSize: null,
    ...fields,
  }
}

const spike = (at: number) => event(at, { eventType: 'volume_spike', volume: 100_000 })
const news = (at: number, newsText: string) => event(at, { eventType: 'news', newsText })
const buy = (at: number, orderSize: number) => event(at, { eventType: 'order', orderType: 'buy', orderSize })
const sell = (at: number, orderSize: number) => event(at, { eventType: 'order', orderType: 'sell', orderSize })
const trade = (at: number, pricePaise: number) => event(at, { eventType: 'trade', pricePaise, volume: 1 })

function signals(topic: string, events: readonly StockEvent[]) {
  return (nseModel(events)[`nse-${topic}`] ?? []).map(
    ({ value }) => value as { pattern: string; events: string[]; confidence: number },
  )
}

/** The matched events, as places in what was given. */
function found(pattern: string, topic: string, events: readonly StockEvent[]): number[][] {
  return signals(topic, events)
    .filter((signal) => signal.pattern === pattern)
    .map((signal) => signal.events.map((id) => events.findIndex(({ eventId }) => eventId === id)))
}

beforeEach(() => {
  ids = 0
})

describe('examples: NSE model', () => {
  it('weighs whole words, each once', () => {
    assert.equal(sentiment('Profit, profit and GROWTH!'), 2)
    assert.equal(sentiment('refined profits, recorded'), 0)
    assert.equal(sentiment('record loss'), 0)
    assert.equal(sentiment("a high-profile fine: bear's decline"), 1 - 3)
  })

  it('keeps symbols apart', () => {
    const other = event(MINUTE, { eventType: 'news', newsText: GOOD, symbol: 'INFY' })
    assert.deepEqual(found('bull_run', 'trading-desks', [spike(0), other]), [])
  })

  it('sees a bull run less than 10 minutes after a spike, and skips what began before its end', () => {
    const bull = (...events: StockEvent[]) => found('bull_run', 'trading-desks', events)
    assert.deepEqual(bull(spike(0), news(10 * MINUTE - 1, GOOD)), [[0, 1]])
    assert.deepEqual(bull(spike(0), news(10 * MINUTE, GOOD)), [])
    assert.deepEqual(bull(news(0, GOOD), spike(1)), [])
    assert.deepEqual(bull(spike(0), news(1, BAD), trade(2, 1), news(3, GOOD)), [[0, 3]])
    assert.deepEqual(bull(spike(0), spike(1), news(2, GOOD), news(3, GOOD)), [[0, 2]])
    assert.deepEqual(bull(spike(0), news(1, GOOD), spike(2), news(3, GOOD)), [
      [0, 1],
      [2, 3],
    ])
  })

  it('sees a bear signal in a sale above 10,000 within 5 minutes', () => {
    const bear = (...events: StockEvent[]) => found('bear_signal', 'risk', events)
    assert.deepEqual(bear(news(0, BAD), sell(1, 10_000), buy(2, 90_000), sell(3, 10_001)), [[0, 3]])
    assert.deepEqual(bear(news(0, BAD), sell(5 * MINUTE, 20_000)), [])
    assert.deepEqual(bear(news(0, 'TCS moves'), sell(1, 20_000)), [])
  })

  it('sees insiders from 5 to 30 minutes before the news, for each spike', () => {
    const insiders = (...events: StockEvent[]) => found('insider_trading', 'sebi', events)
    assert.deepEqual(insiders(spike(0), news(5 * MINUTE - 1, GOOD)), [])
    assert.deepEqual(insiders(spike(0), news(1, BAD), news(5 * MINUTE, 'TCS moves'), news(6 * MINUTE, BAD)), [[0, 2]])
    assert.deepEqual(insiders(spike(0), news(30 * MINUTE - 1, GOOD)), [[0, 1]])
    assert.deepEqual(insiders(spike(0), news(30 * MINUTE, GOOD)), [])
    assert.deepEqual(insiders(spike(0), spike(MINUTE), news(5 * MINUTE, GOOD), news(6 * MINUTE, GOOD)), [
      [0, 2],
      [1, 3],
    ])
  })

  it('sees momentum in four rising trades in a row', () => {
    const momentum = (...events: StockEvent[]) => found('momentum_trading', 'trading-desks', events)
    const rise = (...prices: number[]) => prices.map((price, i) => trade(i * SECOND, price))
    assert.deepEqual(momentum(...rise(1, 2, 3, 4)), [[0, 1, 2, 3]])
    assert.deepEqual(momentum(...rise(1, 2, 3, 3)), [])
    assert.deepEqual(momentum(...rise(1, 2, 3, 4, 5, 6, 7)), [[0, 1, 2, 3]])
    assert.deepEqual(momentum(...rise(1, 2, 3, 4, 5, 6, 7, 8)), [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ])
    assert.deepEqual(momentum(...rise(5, 1, 2, 3, 4)), [[1, 2, 3, 4]])
    assert.deepEqual(momentum(trade(0, 1), spike(1), trade(2, 2), sell(3, 9), trade(4, 3), trade(5, 4)), [[0, 2, 4, 5]])
    assert.deepEqual(momentum(trade(0, 1), trade(1, 2), trade(2, 3), trade(3 * MINUTE, 4)), [])
    assert.deepEqual(momentum(trade(0, 1), trade(1, 2), trade(2, 3), trade(3 * MINUTE, 4), trade(3 * MINUTE, 5)), [
      [1, 2, 3, 4],
    ])
  })

  describe('market manipulation', () => {
    const manipulation = (...events: StockEvent[]) => found('market_manipulation', 'surveillance', events)

    it('is a large order turned round within a minute', () => {
      assert.deepEqual(manipulation(buy(0, 50_001), buy(1, 90_000), sell(2, 30_000), sell(3, 30_001)), [[0, 3]])
      assert.deepEqual(manipulation(buy(0, 50_000), sell(1, 40_000)), [])
      assert.deepEqual(manipulation(buy(0, 60_000), sell(MINUTE, 40_000)), [])
      assert.deepEqual(manipulation(buy(0, 60_000), sell(1, 60_000), buy(2, 60_000), sell(3, 40_000)), [
        [0, 1],
        [2, 3],
      ])
    })

    it('skips what began before its end, its last order included', () => {
      assert.deepEqual(manipulation(sell(0, 60_000), sell(SECOND, 60_000), buy(2 * SECOND, 60_000)), [[0, 2]])
      assert.deepEqual(manipulation(buy(0, 60_000), sell(1, 60_000), buy(2, 40_000)), [[0, 1]])
    })
  })

  it('takes events in the order of time, equal ones as they came', () => {
    assert.deepEqual(found('bull_run', 'trading-desks', [news(2, GOOD), spike(1)]), [[1, 0]])
    assert.deepEqual(found('bull_run', 'trading-desks', [news(1, GOOD), spike(1)]), [])
    assert.deepEqual(found('bull_run', 'trading-desks', [spike(1), news(1, GOOD)]), [[0, 1]])
  })

  it('leaves late events out', () => {
    // The watermark is highest - 5 s - 1.
    const inTime = [event(5 * SECOND, {}), spike(0), news(6 * SECOND, GOOD)]
    assert.deepEqual(found('bull_run', 'trading-desks', inTime), [[1, 2]])
    const late = [event(5 * SECOND + 1, {}), spike(0), news(6 * SECOND, GOOD)]
    assert.deepEqual(found('bull_run', 'trading-desks', late), [])
    assert.deepEqual(nseModel(late)['nse-late'], [{ key: 'e5', value: { eventId: 'e5', symbol: 'TCS', timestamp: T } }])
  })

  it('is confident in many events and short matches', () => {
    const confidence = (topic: string, ...events: StockEvent[]) => signals(topic, events).map((s) => s.confidence)
    assert.deepEqual(confidence('trading-desks', spike(0), news(5999, GOOD)), [90])
    assert.deepEqual(confidence('trading-desks', spike(0), news(6000, GOOD)), [89])
    assert.deepEqual(confidence('trading-desks', spike(0), news(3 * MINUTE, GOOD)), [70])
    assert.deepEqual(confidence('sebi', spike(0), news(5 * MINUTE, GOOD)), [90])
    const trades = [1, 2, 3, 4].map((price) => trade(price, price))
    assert.deepEqual(confidence('trading-desks', ...trades), [100])
  })

  it('counts the patterns of a symbol', () => {
    const events = [spike(0), news(1, GOOD), event(2, { symbol: 'INFY' })]
    assert.deepEqual(nseModel(events)['nse-symbols'], [
      {
        key: 'TCS',
        value: {
          bull_run: 1,
          bear_signal: 0,
          insider_trading: 0,
          momentum_trading: 0,
          market_manipulation: 0,
          total: 1,
        },
      },
    ])
  })
})
