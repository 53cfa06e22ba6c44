import { serdes, stores } from '../../../../src/index.ts'
import { type Auction, type Bid, isAuction, isBid, isPerson } from '../events.ts'
import type { Query } from '../query.ts'

const category = 10

/** null: of another category, so that its bids need not wait. */
const opened = stores.keyValue('opened', { key: serdes.number(), value: serdes.msgpack<{ wanted: Auction | null }>() })
const waiting = stores.list('waiting', { key: serdes.number(), value: serdes.msgpack<Bid>() })

export const q20: Query = {
  summary: 'Bids with their auction, of category 10, whichever comes first',
  mode: 'append',
  rows({ builder, events }) {
    builder.addStateStore(opened)
    builder.addStateStore(waiting)
    return events
      .filterNot(isPerson)
      .selectKey((event) => (isBid(event) ? event.bid.auction : event.auction.id))
      .process<number, object>(
        (ctx) => {
          const auctions = ctx.store(opened)
          const early = ctx.store(waiting)
          return {
            process(event, id) {
              if (isAuction(event)) {
                const wanted = event.auction.category === category ? event.auction : null
                auctions.put(id, { wanted })
                if (wanted !== null) for (const bid of early.values(id)) ctx.forward(joined(bid, wanted), id)
                early.clear(id)
                return
              }
              const auction = auctions.get(id)
              if (auction === undefined) early.append(id, event.bid)
              else if (auction.wanted !== null) ctx.forward(joined(event.bid, auction.wanted), id)
            },
          }
        },
        { stores: [opened, waiting] },
      )
  },
}

function joined(bid: Bid, auction: Auction): object {
  const { auction: id, bidder, price, channel, url, dateTime: bidDateTime, extra: bidExtra = null } = bid
  const { itemName, description, initialBid, reserve, dateTime, expires, seller, category, extra = null } = auction
  return {
    auction: id,
    bidder,
    price,
    channel,
    url,
    bidDateTime,
    bidExtra,
    itemName,
    description,
    initialBid,
    reserve,
    auctionDateTime: dateTime,
    expires,
    seller,
    category,
    auctionExtra: extra,
  }
}
