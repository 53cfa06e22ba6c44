import type { Bid } from '../events.ts'

/** All columns of a bid, and nothing else that its event may have had. */
export const bidColumns = ({ auction, bidder, price, channel, url, dateTime, extra }: Bid): Bid => ({
  auction,
  bidder,
  price,
  channel,
  url,
  dateTime,
  extra,
})
