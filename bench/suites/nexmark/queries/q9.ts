import type { Query } from '../query.ts'
import { winningBids } from './winning-bids.ts'

export const q9: Query = {
  summary: 'Winning bids: of each auction the highest in time, then the earliest',
  mode: 'update',
  rows: (site) =>
    winningBids(site)
      .mapValues(({ auction, bid }) => ({
        id: auction.id,
        itemName: auction.itemName,
        description: auction.description,
        initialBid: auction.initialBid,
        reserve: auction.reserve,
        dateTime: auction.dateTime,
        expires: auction.expires,
        seller: auction.seller,
        category: auction.category,
        auction: bid.auction,
        bidder: bid.bidder,
        price: bid.price,
        bidDateTime: bid.dateTime,
      }))
      .toStream(),
}
