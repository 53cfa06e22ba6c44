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
