import { reading } from '../query.ts'
import { dayOf, minuteOf } from './dates.ts'

export const q10 = reading(
  { bid: ['auction', 'bidder', 'price'] },
  {
    summary: 'Log to files: bids by day and minute',
    mode: 'append',
    rows: ({ bids }) =>
      bids.mapValues(({ auction, bidder, price, dateTime }) => ({
        auction,
        bidder,
        price,
        dateTime,
        date: dayOf(dateTime),
        time: minuteOf(dateTime),
      })),
    file: ({ date, time }) => `${date as string}/${(time as string).replace(':', '-')}.jsonl`,
  },
)
