import { reading } from '../query.ts'
import { bidStatistics } from './bid-statistics.ts'
import { dayOf } from './dates.ts'

export const q15 = reading(
  { bid: ['auction', 'bidder', 'price'] },
  {
    summary: 'Bidding statistics of each day: bids, distinct bidders and auctions, in all and by price',
    mode: 'update',
    rows: ({ builder, bids }) =>
      bidStatistics(
        builder,
        bids.selectKey(({ dateTime }) => dayOf(dateTime)),
      ).mapValues(({ statistics }, day) => ({ ...statistics, day })),
  },
)
