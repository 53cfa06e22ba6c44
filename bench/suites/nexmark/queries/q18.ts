import type { Bid } from '../events.ts'
import { reading } from '../query.ts'

export const q18 = reading(
  { bid: ['auction', 'bidder', 'price', 'channel', 'url', 'extra'] },
  {
    summary: 'Last bid of each bidder on each auction',
    mode: 'update',
    rows: ({ bids }) =>
      bids
        .groupBy(({ bidder, auction }) => [bidder, auction] as const)
        .reduce(later)
        .toStream(),
  },
)

/** Of bids in one millisecond the one with the smaller extra. */
function later(last: Bid, bid: Bid): Bid {
  if (bid.dateTime !== last.dateTime) return bid.dateTime > last.dateTime ? bid : last
  return (bid.extra ?? '') < (last.extra ?? '') ? bid : last
}
