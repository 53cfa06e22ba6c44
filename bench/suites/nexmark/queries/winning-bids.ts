import type { KTable } from '../../../../src/index.ts'
import type { Auction, Bid } from '../events.ts'
import type { Site } from '../query.ts'

export interface Sale {
  readonly auction: Auction
  /** Highest price between the auction's start and end; of equal ones the earliest. */
  readonly bid: Bid
}

interface Bidding {
  auction: Auction | null
  bid: Bid | null
  /** Bids that came before their auction. */
  early: Bid[]
}

/** Auctions with at least one bid in time, by id. */
export function winningBids({ auctions, bids }: Site): KTable<number, Sale> {
  return auctions
    .groupBy(({ id }) => id)
    .cogroup<Bidding>(() => ({ auction: null, bid: null, early: [] }), opened)
    .cogroup(
      bids.groupBy(({ auction }) => auction),
      offered,
    )
    .aggregate()
    .filter((bidding): bidding is Bidding & Sale => bidding.auction !== null && bidding.bid !== null)
    .mapValues(({ auction, bid }) => ({ auction, bid }))
}

function opened({ early, bid }: Bidding, auction: Auction): Bidding {
  return early.reduce(offered, { auction, bid, early: [] })
}

function offered({ auction, bid, early }: Bidding, offer: Bid): Bidding {
  if (auction === null) return { auction, bid, early: [...early, offer] }
  const inTime = offer.dateTime >= auction.dateTime && offer.dateTime <= auction.expires
  return { auction, bid: inTime && (bid === null || beats(offer, bid)) ? offer : bid, early }
}

const beats = (a: Bid, b: Bid): boolean => a.price > b.price || (a.price === b.price && a.dateTime < b.dateTime)
