import { type KeyValueStore, type KStream, serdes, type StreamsBuilder, stores } from '../../../../src/index.ts'
import type { Bid } from '../events.ts'

/** Bids, distinct bidders and distinct auctions, in all and by price; ranks count from 1. */
export interface Statistics {
  readonly totalBids: number
  readonly rank1Bids: number
  readonly rank2Bids: number
  readonly rank3Bids: number
  readonly totalBidders: number
  readonly rank1Bidders: number
  readonly rank2Bidders: number
  readonly rank3Bidders: number
  readonly totalAuctions: number
  readonly rank1Auctions: number
  readonly rank2Auctions: number
  readonly rank3Auctions: number
}

export interface StatisticsOf {
  readonly statistics: Statistics
  /** Time of the latest bid. */
  readonly latest: number
}

const none: Statistics = {
  totalBids: 0,
  rank1Bids: 0,
  rank2Bids: 0,
  rank3Bids: 0,
  totalBidders: 0,
  rank1Bidders: 0,
  rank2Bidders: 0,
  rank3Bidders: 0,
  totalAuctions: 0,
  rank1Auctions: 0,
  rank2Auctions: 0,
  rank3Auctions: 0,
}

const totals = stores.keyValue('totals', { key: serdes.string(), value: serdes.msgpack<StatisticsOf>() })
/**
 * Ranks, as bits, in which a bidder or an auction was seen, by the key and its number. A row each: a set in one row would be
 * written whole each time.
 */
const bidders = stores.keyValue('bidders', { key: serdes.string(), value: serdes.number() })
const auctions = stores.keyValue('auctions', { key: serdes.string(), value: serdes.number() })

/** 1: below 10,000; 2: below 1,000,000; 3: the rest. */
export const rankOf = (price: number): 1 | 2 | 3 => (price < 10_000 ? 1 : price < 1_000_000 ? 2 : 3)

/** Statistics of each key, anew with each bid. */
export function bidStatistics<B extends Pick<Bid, 'auction' | 'bidder' | 'price' | 'dateTime'>>(
  builder: StreamsBuilder,
  bids: KStream<string, B>,
): KStream<string, StatisticsOf> {
  for (const store of [totals, bidders, auctions]) builder.addStateStore(store)
  return bids.process<string, StatisticsOf>(
    (ctx) => {
      const rows = ctx.store(totals)
      const ofBidders = ctx.store(bidders)
      const ofAuctions = ctx.store(auctions)
      return {
        process(bid, key) {
          const rank = rankOf(bid.price)
          const row = rows.get(key)
          const before = row?.statistics ?? none
          const bidder = newIn(ofBidders, `${key} ${bid.bidder}`, rank)
          const auction = newIn(ofAuctions, `${key} ${bid.auction}`, rank)
          const statistics: Statistics = {
            totalBids: before.totalBids + 1,
            rank1Bids: before.rank1Bids + Number(rank === 1),
            rank2Bids: before.rank2Bids + Number(rank === 2),
            rank3Bids: before.rank3Bids + Number(rank === 3),
            totalBidders: before.totalBidders + bidder.ever,
            rank1Bidders: before.rank1Bidders + (rank === 1 ? bidder.inRank : 0),
            rank2Bidders: before.rank2Bidders + (rank === 2 ? bidder.inRank : 0),
            rank3Bidders: before.rank3Bidders + (rank === 3 ? bidder.inRank : 0),
            totalAuctions: before.totalAuctions + auction.ever,
            rank1Auctions: before.rank1Auctions + (rank === 1 ? auction.inRank : 0),
            rank2Auctions: before.rank2Auctions + (rank === 2 ? auction.inRank : 0),
            rank3Auctions: before.rank3Auctions + (rank === 3 ? auction.inRank : 0),
          }
          const next = { statistics, latest: row === undefined ? bid.dateTime : Math.max(row.latest, bid.dateTime) }
          rows.put(key, next)
          ctx.forward(next, key)
        },
      }
    },
    { stores: [totals, bidders, auctions] },
  )
}

/** 1 or 0 each: is it seen for the first time, ever and in this rank? */
function newIn(
  store: KeyValueStore<string, number, 'ordered'>,
  key: string,
  rank: number,
): { ever: number; inRank: number } {
  const bits = store.get(key) ?? 0
  const bit = 1 << rank
  if ((bits & bit) !== 0) return { ever: 0, inRank: 0 }
  store.put(key, bits | bit)
  return { ever: Number(bits === 0), inRank: 1 }
}
