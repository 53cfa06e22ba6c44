import { reading } from '../query.ts'
import { bidStatistics } from './bid-statistics.ts'
import { dayOf, minuteOf } from './dates.ts'

export const q16 = reading(
  { bid: ['auction', 'bidder', 'price', 'channel'] },
  {
    summary: 'Channel statistics: the same for each channel and day, with the minute of the latest bid',
    mode: 'update',
    rows: ({ builder, bids }) =>
      bidStatistics(
        builder,
        bids.selectKey(({ channel, dateTime }) => `${dayOf(dateTime)} ${channel}`),
      ).mapValues(({ statistics, latest }, key) => ({
        ...statistics,
        channel: key.slice('YYYY-MM-DD '.length),
        day: key.slice(0, 'YYYY-MM-DD'.length),
        minute: minuteOf(latest),
      })),
  },
)
