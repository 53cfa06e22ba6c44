import { reading } from '../query.ts'

const gap = 10_000

export const q11 = reading(
  { bid: ['bidder'] },
  {
    summary: 'User sessions: bids of a bidder with less than 10 s from one to the next',
    mode: 'append',
    rows: ({ bids }) =>
      bids
        .groupBy(({ bidder }) => bidder)
        // A gap belongs to the session; here one of exactly 10 s does not.
        .windowedBy((w) => w.session(gap - 1).noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((bidCount, { key: bidder, window }) => [
          bidder,
          { bidder, bidCount, starttime: window.start, endtime: window.end + gap },
        ]),
  },
)
