import type { Query } from '../query.ts'

interface Hot {
  num: number
  auctions: number[]
}

export const q5: Query = {
  summary: 'Hot items: the auctions with the most bids of the last 10 s, each 2 s',
  mode: 'append',
  rows: ({ bids }) =>
    bids
      .groupBy(({ auction }) => auction)
      .windowedBy((w) => w.hopping('10s', { advance: '2s' }).noGrace())
      .emit('close')
      .count()
      .toStream()
      // A closed window's count carries the window's last millisecond, so the counts of one window meet again here.
      .map((num, { key: auction, window }) => [window.end, { auction, num }])
      .groupByKey()
      .windowedBy((w) => w.tumbling('2s').noGrace())
      .emit('close')
      .aggregate((): Hot => ({ num: 0, auctions: [] }), hotter)
      .toStream()
      .flatMapValues(({ num, auctions }) => auctions.map((auction) => ({ auction, num }))),
}

function hotter(hot: Hot, { auction, num }: { readonly auction: number; readonly num: number }): Hot {
  if (num < hot.num) return hot
  return { num, auctions: num > hot.num ? [auction] : [...hot.auctions, auction] }
}
