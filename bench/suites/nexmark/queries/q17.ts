import { aggregators, avg, count, max, min, sum } from '../../../../src/index.ts'
import type { Bid } from '../events.ts'
import { reading } from '../query.ts'
import { rankOf } from './bid-statistics.ts'
import { dayOf } from './dates.ts'

type Priced = Pick<Bid, 'price'>

const inRank = (rank: number) => sum(({ price }: Priced) => Number(rankOf(price) === rank))

export const q17 = reading(
  { bid: ['auction', 'price'] },
  {
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
            minPrice: min(({ price }: Priced) => price),
            maxPrice: max(({ price }: Priced) => price),
            avgPrice: avg(({ price }: Priced) => price),
            sumPrice: sum(({ price }: Priced) => price),
          }),
        )
        .toStream()
        .mapValues((statistics, [auction, day]) => ({ ...statistics, auction, day })),
  },
)
