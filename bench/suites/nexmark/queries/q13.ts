import { serdes } from '../../../../src/index.ts'
import { reading } from '../query.ts'

const topic = 'side-input'
const size = 10_000

export const q13 = reading(
  { bid: ['auction', 'bidder', 'price'] },
  {
    summary: 'Bounded side input: bids joined with a table of 10,000 rows',
    mode: 'append',
    sideInput: { topic, values: Array.from({ length: size }, (_, i) => String(i)) },
    rows({ builder, bids }) {
      const side = builder.globalTable(topic, { key: serdes.number(), value: serdes.string() })
      return bids.join(
        side,
        ({ auction }) => auction % size,
        ({ auction, bidder, price, dateTime }, value) => ({ auction, bidder, price, dateTime, value }),
      )
    },
  },
)
