import { serdes, stores } from '../../../../src/index.ts'
import { reading } from '../query.ts'

/** Of a window that is about to close: the most bids that an auction has, and the auctions that have them. */
const most = stores.keyValue('most', { key: serdes.number(), value: serdes.number() })
const hottest = stores.list('hottest', { key: serdes.number(), value: serdes.number() })

export const q5 = reading(
  { bid: ['auction'] },
  {
    summary: 'Hot items: the auctions with the most bids of the last 10 s, each 2 s',
    mode: 'append',
    rows({ builder, bids }) {
      builder.addStateStore(most)
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
            const highest = ctx.store(most)
            const auctions = ctx.store(hottest)
            return {
              process({ auction, num }, end) {
                const before = highest.get(end)
                // All counts of a window are sent before the watermark reaches its end.
                if (before === undefined) ctx.timers.set(end, end)
                if (before !== undefined && num < before) return
                if (num !== before) {
                  highest.put(end, num)
                  auctions.clear(end)
                }
                auctions.append(end, auction)
              },
              onTimer(end) {
                const num = highest.delete(end) as number
                for (const auction of auctions.values(end)) ctx.forward({ auction, num }, end)
                auctions.clear(end)
              },
            }
          },
          { stores: [most, hottest] },
        )
    },
  },
)
