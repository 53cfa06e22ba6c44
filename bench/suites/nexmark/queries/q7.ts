import { serdes, stores } from '../../../../src/index.ts'
import type { Bid as WholeBid } from '../events.ts'
import { reading } from '../query.ts'

const size = 10_000

type Bid = Pick<WholeBid, 'auction' | 'bidder' | 'price' | 'dateTime'>

interface Best {
  /** null: no bid yet. */
  price: number | null
  bids: Bid[]
  /** Bids of the very millisecond in which the window ends: they do not set its price, but may have it. */
  atEnd: Bid[]
}

const best = stores.keyValue('best', { key: serdes.number(), value: serdes.json<Best>() })

export const q7 = reading(
  { bid: ['auction', 'bidder', 'price'] },
  {
    summary: 'Highest bid: those with the highest price of each 10 s',
    mode: 'append',
    rows: ({ builder, bids }) => {
      builder.addStateStore(best)
      return bids
        .processValues(highestSoFar)
        .flatMap((bid) => {
          const end = endOf(bid)
          return bid.dateTime % size === 0 ? [[end, bid] as const, [bid.dateTime, bid] as const] : [[end, bid] as const]
        })
        .process<number, object>(
          (ctx) => {
            const windows = ctx.store(best)
            return {
              process(bid, end) {
                let window = windows.get(end)
                if (window === undefined) {
                  window = { price: null, bids: [], atEnd: [] }
                  ctx.timers.set(end, end)
                }
                windows.put(end, offered(window, bid, end))
              },
              onTimer(end) {
                const { price, bids, atEnd } = windows.delete(end) as Best
                for (const bid of [...bids, ...atEnd.filter((other) => other.price === price)]) {
                  const { auction, bidder, dateTime } = bid
                  ctx.forward({ auction, price: bid.price, bidder, dateTime }, end)
                }
              },
            }
          },
          { stores: [best] },
        )
    },
  },
)

const endOf = ({ dateTime }: Bid): number => dateTime - (dateTime % size) + size

function offered({ price, bids, atEnd }: Best, bid: Bid, end: number): Best {
  if (bid.dateTime === end) return { price, bids, atEnd: [...atEnd, bid] }
  if (price === null || bid.price > price) return { price: bid.price, bids: [bid], atEnd }
  return bid.price < price ? { price, bids, atEnd } : { price, bids: [...bids, bid], atEnd }
}

/**
 * Spares the repartition the bids that have lost already. It needs no state that survives: forgetting only lets more through.
 * Bids at a window's first millisecond pass always, since they may also have the price of the window before.
 */
function highestSoFar(ctx: { forward(bid: Bid): void }): { process(bid: Bid): void } {
  const prices = new Map<number, number>()
  return {
    process(bid) {
      const end = endOf(bid)
      const price = prices.get(end)
      if (price === undefined) {
        if (prices.size === 8) prices.delete(prices.keys().next().value as number)
        prices.set(end, bid.price)
      } else if (bid.price > price) prices.set(end, bid.price)
      else if (bid.price < price && bid.dateTime % size !== 0) return
      ctx.forward(bid)
    },
  }
}
