import { reading } from '../query.ts'

export const q19 = reading(
  { bid: ['auction', 'bidder', 'price', 'channel', 'url', 'extra'] },
  {
    summary: 'Top ten bids of each auction, by price',
    mode: 'update',
    rows: ({ bids }) =>
      bids
        .groupBy(({ auction }) => auction)
        .topN(10, ({ price }) => price)
        .toStream()
        .mapValues((top) => top.map((bid, i) => ({ ...bid, rankNumber: i + 1 }))),
  },
)
