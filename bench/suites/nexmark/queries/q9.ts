import type { Query } from '../query.ts'
import { winningBids } from './winning-bids.ts'

export const q9: Query = {
  summary: 'Winning bids: of each auction the highest in time, then the earliest',
  mode: 'update',
  rows: (site) =>
    winningBids(site)
      .mapValues(({ auction: { extra: _, ...item }, bid }) => ({
        ...item,
        auction: bid.auction,
        bidder: bid.bidder,
        price: bid.price,
        bidDateTime: bid.dateTime,
      }))
      .toStream(),
}
