import { serdes, stores } from '../../../../src/index.ts'
import { type Auction, type Bid, isAuction, isBid, type Person } from '../events.ts'
import type { Query } from '../query.ts'

const known = stores.keyValue('persons', { key: serdes.number(), value: serdes.msgpack<Person>() })
const sold = stores.list('sold', { key: serdes.number(), value: serdes.msgpack<Auction>() })
const offered = stores.list('offered', { key: serdes.number(), value: serdes.msgpack<Bid>() })

export const q23: Query = {
  summary: 'Bids of persons who also sell: each with each auction of theirs, in whatever order they come',
  mode: 'append',
  rows({ builder, events }) {
    for (const store of [known, sold, offered]) builder.addStateStore(store)
    return events
      .selectKey((event) =>
        isBid(event) ? event.bid.bidder : isAuction(event) ? event.auction.seller : event.person.id,
      )
      .process<number, object>(
        (ctx) => {
          const persons = ctx.store(known)
          const auctions = ctx.store(sold)
          const bids = ctx.store(offered)
          return {
            process(event, id) {
              const person = persons.get(id)
              if (isBid(event)) {
                bids.append(id, event.bid)
                if (person === undefined) return
                for (const auction of auctions.values(id)) ctx.forward(joined(event.bid, person, auction), id)
              } else if (isAuction(event)) {
                auctions.append(id, event.auction)
                if (person === undefined) return
                for (const bid of bids.values(id)) ctx.forward(joined(bid, person, event.auction), id)
              } else {
                persons.put(id, event.person)
                for (const auction of auctions.values(id)) {
                  for (const bid of bids.values(id)) ctx.forward(joined(bid, event.person, auction), id)
                }
              }
            },
          }
        },
        { stores: [known, sold, offered] },
      )
  },
}

const joined = ({ bidder, price, channel }: Bid, person: Person, auction: Auction): object => ({
  bidder,
  price,
  channel,
  personId: person.id,
  name: person.name,
  auctionSeller: auction.seller,
  auctionDateTime: auction.dateTime,
  itemName: auction.itemName,
})
