import type { Query } from '../query.ts'
import { bidColumns } from './bid-columns.ts'

export const q19: Query = {
  summary: 'Top ten bids of each auction, by price',
  mode: 'update',
  rows: ({ bids }) =>
    bids
      .groupBy(({ auction }) => auction)
      .topN(10, ({ price }) => price)
      .toStream()
      .mapValues((top) => top.map((bid, i) => ({ ...bidColumns(bid), rankNumber: i + 1 }))),
}
