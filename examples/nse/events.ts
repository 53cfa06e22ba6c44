import { isObject, schema } from '../lib/topics.ts'

/** Something that happens to a share. Key: the symbol. What does not belong to the event's type is null. */
export interface StockEvent {
  readonly eventId: string
  readonly eventType: 'trade' | 'order' | 'news' | 'price_alert' | 'volume_spike'
  readonly symbol: string
  /** Epoch milliseconds. */
  readonly timestamp: number
  /** Of trades, orders and price alerts. */
  readonly pricePaise: number | null
  /** Of trades and volume spikes. */
  readonly volume: number | null
  readonly newsText: string | null
  readonly orderType: 'buy' | 'sell' | null
  readonly orderSize: number | null
}

export type Trade = StockEvent & { readonly eventType: 'trade'; readonly pricePaise: number }
export type Order = StockEvent & {
  readonly eventType: 'order'
  readonly orderType: 'buy' | 'sell'
  readonly orderSize: number
}
export type News = StockEvent & { readonly eventType: 'news'; readonly newsText: string }

export const isTrade = (event: StockEvent): event is Trade => event.eventType === 'trade'
export const isOrder = (event: StockEvent): event is Order => event.eventType === 'order'
export const isNews = (event: StockEvent): event is News => event.eventType === 'news'
export const isSpike = (event: StockEvent): boolean => event.eventType === 'volume_spike'

export const stockEvent = schema(
  isStockEvent,
  'a stock event: a known eventType with the fields that belong to it, whole numbers',
)

function isStockEvent(event: unknown): event is StockEvent {
  if (!isObject(event)) return false
  const { eventId, symbol, timestamp, pricePaise, volume, newsText, orderType, orderSize } = event
  if (typeof eventId !== 'string' || typeof symbol !== 'string' || !isCount(timestamp)) return false
  switch (event.eventType) {
    case 'trade':
      return isCount(pricePaise) && isCount(volume)
    case 'order':
      return isCount(pricePaise) && (orderType === 'buy' || orderType === 'sell') && isCount(orderSize)
    case 'news':
      return typeof newsText === 'string'
    case 'price_alert':
      return isCount(pricePaise)
    case 'volume_spike':
      return isCount(volume)
    default:
      return false
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
