import { aggregators, avg, count, max, min, sum } from '../../../../src/index.ts'
import type { Bid } from '../events.ts'
import type { Query } from '../query.ts'
import { rankOf } from './bid-statistics.ts'
import { dayOf } from './dates.ts'

const inRank = (rank: number) => sum((bid: Bid) => Number(rankOf(bid.price) === rank))

export const q17: Query = {
  summary: 'Auction statistics of each day: bids in all and by price, and their prices',
  mode: 'update',
  rows: ({ bids }) =>
    bids
      .groupBy(({ auction, dateTime }) => [auction, dayOf(dateTime)] as const)
      .aggregate(
        aggregators({
          totalBids: count(),
          rank1Bids: inRank(1),
          rank2Bids: inRank(2),
          rank3Bids: inRank(3),
          minPrice: min((bid: Bid) => bid.price),
          maxPrice: max((bid: Bid) => bid.price),
          avgPrice: avg((bid: Bid) => bid.price),
          sumPrice: sum((bid: Bid) => bid.price),
        }),
      )
      .toStream()
      .mapValues((statistics, [auction, day]) => ({ auction, day, ...statistics })),
}
