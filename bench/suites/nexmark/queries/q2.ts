import { reading } from '../query.ts'

export const q2 = reading(
  { bid: ['auction', 'price'] },
  {
    summary: 'Selection: bids on every 123rd auction',
    mode: 'append',
    rows: ({ bids }) =>
      bids.filter(({ auction }) => auction % 123 === 0).mapValues(({ auction, price }) => ({ auction, price })),
  },
)
