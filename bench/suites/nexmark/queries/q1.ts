import { reading } from '../query.ts'
import { euros } from './money.ts'

export const q1 = reading(
  { bid: ['auction', 'bidder', 'price'] },
  {
    summary: 'Currency conversion: each bid in euros',
    mode: 'append',
    rows: ({ bids }) =>
      bids.mapValues(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price: euros(price), dateTime })),
  },
)
