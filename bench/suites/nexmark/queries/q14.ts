import { reading } from '../query.ts'
import { hourOf } from './dates.ts'
import { euros } from './money.ts'

export const q14 = reading(
  { bid: ['auction', 'bidder', 'price', 'extra'] },
  {
    summary: 'Calculation: bids between a million and fifty million euros, by time of day',
    mode: 'append',
    rows: ({ bids }) =>
      bids
        .filter(({ price }) => price * 908 > 1_000_000_000 && price * 908 < 50_000_000_000)
        .mapValues(({ auction, bidder, price, dateTime, extra }) => ({
          auction,
          bidder,
          price: euros(price),
          bidTimeType: timeType(hourOf(dateTime)),
          dateTime,
          cCounts: countOf('c', extra),
        })),
  },
)

function timeType(hour: number): string {
  if (hour >= 8 && hour <= 18) return 'dayTime'
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime'
}

function countOf(letter: string, text: string | null): number {
  if (text === null) return 0
  let n = 0
  for (let at = text.indexOf(letter); at >= 0; at = text.indexOf(letter, at + 1)) n++
  return n
}
