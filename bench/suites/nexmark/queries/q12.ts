import { reading } from '../query.ts'

export const q12 = reading(
  { bid: ['bidder'] },
  {
    summary: 'Processing-time windows: bids of a bidder in each 10 s of the wall clock',
    mode: 'append',
    wallClock: true,
    rows: ({ bids }) =>
      bids
        .groupBy(({ bidder }) => bidder)
        .windowedBy((w) => w.tumbling('10s', { clock: 'wall' }))
        .emit('close')
        .count()
        .toStream()
        .map((bidCount, { key: bidder, window }) => [
          bidder,
          { bidder, bidCount, starttime: window.start, endtime: window.end },
        ]),
  },
)
