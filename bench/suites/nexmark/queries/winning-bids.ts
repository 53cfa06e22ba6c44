import { type KTable, serdes, stores } from '../../../../src/index.ts'
import { type Auction, type Bid, isAuction, isBid, isPerson } from '../events.ts'
import type { Site } from '../query.ts'

export interface Sale {
  readonly auction: Auction
  /** Highest price between the auction's start and end; of equal ones the earliest. */
  readonly bid: Bid
}

interface Bidding {
  readonly auction: Auction
  readonly bid: Bid | null
}

const open = stores.keyValue('open', { key: serdes.number(), value: serdes.msgpack<Bidding>() })
/** Bids that came before their auction. */
const early = stores.list('early', { key: serdes.number(), value: serdes.msgpack<Bid>() })

/** Auctions with at least one bid in time, by id. */
export function winningBids({ builder, events }: Site): KTable<number, Sale, never> {
  builder.addStateStore(open)
  builder.addStateStore(early)
  return events
    .filterNot(isPerson)
    .selectKey((event) => (isBid(event) ? event.bid.auction : event.auction.id))
    .process<number, Sale>(
      (ctx) => {
        const auctions = ctx.store(open)
        const waiting = ctx.store(early)
        return {
          process(event, id) {
            const bidding = isAuction(event) ? { auction: event.auction, bid: null } : auctions.get(id)
            if (bidding === undefined) return waiting.append(id, (event as { readonly bid: Bid }).bid)
            const { auction, bid } = bidding
            const offers = isBid(event) ? [event.bid] : waiting.values(id)
            let best = bid
            for (const offer of offers) if (inTime(auction, offer) && beats(offer, best)) best = offer
            if (isAuction(event)) waiting.clear(id)
            else if (best === bid) return
            auctions.put(id, { auction, bid: best })
            if (best !== null) ctx.forward({ auction, bid: best }, id)
          },
        }
      },
      { stores: [open, early] },
    )
    .toTable({ key: serdes.number() })
}

const inTime = ({ dateTime, expires }: Auction, bid: Bid): boolean =>
  bid.dateTime >= dateTime && bid.dateTime <= expires

const beats = (a: Bid, b: Bid | null): boolean =>
  b === null || a.price > b.price || (a.price === b.price && a.dateTime < b.dateTime)
