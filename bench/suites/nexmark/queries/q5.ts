import { serdes, stores } from '../../../../src/index.ts'
import type { Query } from '../query.ts'

interface Hot {
  readonly num: number
  readonly auctions: readonly number[]
}

const hottest = stores.keyValue('hottest', { key: serdes.number(), value: serdes.msgpack<Hot>() })

export const q5: Query = {
  summary: 'Hot items: the auctions with the most bids of the last 10 s, each 2 s',
  mode: 'append',
  rows({ builder, bids }) {
    builder.addStateStore(hottest)
    return bids
      .groupBy(({ auction }) => auction)
      .windowedBy((w) => w.hopping('10s', { advance: '2s' }).noGrace())
      .emit('close')
      .count()
      .toStream()
      .map((num, { key: auction, window }) => [window.end, { auction, num }])
      .process<number, object>(
        (ctx) => {
          const windows = ctx.store(hottest)
          return {
            process({ auction, num }, end) {
              const hot = windows.get(end)
              // All counts of a window are sent before the watermark reaches its end.
              if (hot === undefined) ctx.timers.set(end, end)
              if (hot === undefined || num > hot.num) windows.put(end, { num, auctions: [auction] })
              else if (num === hot.num) windows.put(end, { num, auctions: [...hot.auctions, auction] })
            },
            onTimer(end) {
              const { num, auctions } = windows.delete(end) as Hot
              for (const auction of auctions) ctx.forward({ auction, num }, end)
            },
          }
        },
        { stores: [hottest] },
      )
  },
}
