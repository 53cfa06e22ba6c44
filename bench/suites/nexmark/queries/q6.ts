import type { Query } from '../query.ts'
import { winningBids } from './winning-bids.ts'

const last = 10

export const q6: Query = {
  summary: "Average selling price by seller: of the seller's last ten winning bids",
  mode: 'update',
  rows: (site) =>
    winningBids(site)
      .groupBy(({ auction, bid }) => [auction.seller, { price: bid.price, sold: bid.dateTime, id: auction.id }])
      .topN(last, ({ sold, id }) => [sold, id])
      .mapValues((sales, seller) =>
        sales.length === 0 ? [] : { seller, avg: sales.reduce((sum, { price }) => sum + price, 0) / sales.length },
      )
      .toStream(),
}
