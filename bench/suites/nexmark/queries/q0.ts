import { reading } from '../query.ts'

export const q0 = reading(
  { bid: ['auction', 'bidder', 'price'] },
  {
    summary: 'Pass through: what reading and writing cost',
    mode: 'append',
    rows: ({ bids }) =>
      bids.mapValues(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price, dateTime })),
  },
)
