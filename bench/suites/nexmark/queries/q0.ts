import type { Query } from '../query.ts'

export const q0: Query = {
  summary: 'Pass through: what reading and writing cost',
  mode: 'append',
  rows: ({ bids }) => bids.mapValues(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price, dateTime })),
}
