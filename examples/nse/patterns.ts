import { pattern } from '../../src/index.ts'
import { isNews, isOrder, isSpike, isTrade, type StockEvent } from './events.ts'
import { sentiment } from './sentiment.ts'

const FIVE_MINUTES = 300_000

/** Volume first, good news second: somebody knew, or everybody did. */
export const bullRun = pattern<StockEvent>()
  .begin('spike')
  .where(isSpike)
  .followedBy('news')
  .subtype(isNews)
  .where((news) => sentiment(news.newsText) === 'positive')
  .within('10m')

/** Bad news, and a large seller. */
export const bearSignal = pattern<StockEvent>()
  .begin('news')
  .subtype(isNews)
  .where((news) => sentiment(news.newsText) === 'negative')
  .followedBy('sale')
  .subtype(isOrder)
  .where((order) => order.orderType === 'sell' && order.orderSize > 10_000)
  .within('5m')

/** A volume spike well before the news that explains it. The condition is the news': earlier news is passed over. */
export const insiderTrading = pattern<StockEvent>()
  .begin('spike')
  .where(isSpike)
  .followedBy('news')
  .subtype(isNews)
  .where((news, ctx) => news.timestamp - (ctx.last('spike')?.timestamp ?? 0) >= FIVE_MINUTES)
  .within('30m')

/** Four trades in a row, each above the one before it. Of the trades alone: nothing else interrupts them. */
export const momentumTrading = pattern<StockEvent>()
  .begin('start')
  .subtype(isTrade)
  .next('rising')
  .subtype(isTrade)
  .where((trade, ctx) => trade.pricePaise > (ctx.last('rising') ?? ctx.last('start') ?? trade).pricePaise)
  .times(3)
  .consecutive()
  .within('3m')

/** A very large order, and a large one the other way. */
export const marketManipulation = pattern<StockEvent>()
  .begin('large')
  .subtype(isOrder)
  .where((order) => order.orderSize > 50_000)
  .followedBy('reversal')
  .subtype(isOrder)
  .where((order, ctx) => order.orderSize > 30_000 && order.orderType !== ctx.last('large')?.orderType)
  .within('1m')
