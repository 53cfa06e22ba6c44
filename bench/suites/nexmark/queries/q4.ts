import { avg } from '../../../../src/index.ts'
import type { Query } from '../query.ts'
import { winningBids } from './winning-bids.ts'

export const q4: Query = {
  summary: 'Average price for a category: of the winning bids of its auctions',
  mode: 'update',
  rows: (site) =>
    winningBids(site)
      .groupBy(({ auction, bid }) => [auction.category, bid.price])
      .aggregate(avg((price: number) => price))
      .mapValues((average, category) => ({ category, avg: average }))
      .toStream(),
}
