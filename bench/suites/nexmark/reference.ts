/** The queries by plain loops over all events in memory, sharing no code with the engine or with the queries. */
import type { Auction, Bid, NexmarkEvent, Person } from './events.ts'

type Row = Record<string, unknown>

interface Site {
  readonly persons: readonly Person[]
  readonly auctions: readonly Auction[]
  readonly bids: readonly Bid[]
}

export function siteOf(events: Iterable<NexmarkEvent>): Site {
  const [persons, auctions, bids]: [Person[], Auction[], Bid[]] = [[], [], []]
  for (const event of events) {
    if ('bid' in event) bids.push(event.bid)
    else if ('auction' in event) auctions.push(event.auction)
    else persons.push(event.person)
  }
  return { persons, auctions, bids }
}

const iso = (time: number): string => new Date(time).toISOString()
const euros = (price: number): string => (Math.round(price * 908) / 1000).toFixed(3)
const average = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length

function grouped<T>(items: readonly T[], by: (item: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>()
  for (const item of items) {
    const key = by(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}

function indexed<T>(items: readonly T[], by: (item: T) => number): (key: number) => readonly T[] {
  const groups = new Map<number, T[]>(grouped(items, by).map((group) => [by(group[0]!), group]))
  return (key) => groups.get(key) ?? []
}

function sales({ auctions, bids }: Site): { auction: Auction; bid: Bid }[] {
  const bidsOn = indexed(bids, ({ auction }) => auction)
  return auctions.flatMap((auction) => {
    const [bid] = bidsOn(auction.id)
      .filter((b) => b.dateTime >= auction.dateTime && b.dateTime <= auction.expires)
      .toSorted((a, b) => b.price - a.price || a.dateTime - b.dateTime)
    return bid === undefined ? [] : [{ auction, bid }]
  })
}

const statistics = (bids: readonly Bid[]): Row => {
  const ranks = [
    bids,
    bids.filter(({ price }) => price < 10_000),
    bids.filter(({ price }) => price >= 10_000 && price < 1_000_000),
    bids.filter(({ price }) => price >= 1_000_000),
  ]
  const row: Row = {}
  ranks.forEach((some, i) => {
    const prefix = i === 0 ? 'total' : `rank${i}`
    row[`${prefix}Bids`] = some.length
    row[`${prefix}Bidders`] = new Set(some.map(({ bidder }) => bidder)).size
    row[`${prefix}Auctions`] = new Set(some.map(({ auction }) => auction)).size
  })
  return row
}

/** As the SQL suite searches: behind an & or at the very start. */
const channelIdIn = (url: string): string | undefined =>
  url
    .split('&')
    .find((part) => part.startsWith('channel_id='))
    ?.slice('channel_id='.length)

const bidsOnly = (f: (bid: Bid) => Row[]) => (site: Site) => site.bids.flatMap(f)
const short = ({ auction, bidder, price, dateTime }: Bid): Row => ({ auction, bidder, price, dateTime })

export const reference: Record<string, (site: Site) => Row[]> = {
  q0: bidsOnly((bid) => [short(bid)]),
  q1: bidsOnly((bid) => [{ ...short(bid), price: euros(bid.price) }]),
  q2: bidsOnly(({ auction, price }) => (auction % 123 === 0 ? [{ auction, price }] : [])),
  q3({ auctions, persons }) {
    const personsOf = indexed(persons, ({ id }) => id)
    return auctions.flatMap(({ id, seller, category }) =>
      personsOf(seller)
        .filter((p) => category === 10 && /^(or|id|ca)$/i.test(p.state))
        .map(({ name, city, state }) => ({ name, city, state, id })),
    )
  },
  q4: (site) =>
    grouped(sales(site), ({ auction }) => auction.category).map((group) => ({
      category: group[0]!.auction.category,
      avg: average(group.map(({ bid }) => bid.price)),
    })),
  q5({ bids }) {
    const rows: Row[] = []
    const slides = indexed(bids, ({ dateTime }) => Math.floor(dateTime / 2000))
    const [first, last] = bids.reduce(
      ([low, high], { dateTime }) => [Math.min(low, dateTime), Math.max(high, dateTime)],
      [Number.POSITIVE_INFINITY, 0],
    )
    for (let slide = Math.floor(first / 2000) - 4; slide * 2000 <= last; slide++) {
      const inWindow = [0, 1, 2, 3, 4].flatMap((i) => slides(slide + i))
      const groups = grouped(inWindow, ({ auction }) => auction)
      const num = groups.reduce((most, { length }) => Math.max(most, length), 0)
      for (const group of groups) if (group.length === num) rows.push({ auction: group[0]!.auction, num })
    }
    return rows
  },
  q6: (site) =>
    grouped(sales(site), ({ auction }) => auction.seller).map((group) => ({
      seller: group[0]!.auction.seller,
      avg: average(
        group
          .toSorted((a, b) => a.bid.dateTime - b.bid.dateTime || a.auction.id - b.auction.id)
          .slice(-10)
          .map(({ bid }) => bid.price),
      ),
    })),
  q7({ bids }) {
    const bidsAt = indexed(bids, ({ dateTime }) => dateTime)
    return grouped(bids, ({ dateTime }) => Math.floor(dateTime / 10_000)).flatMap((group) => {
      const price = group.reduce((most, bid) => Math.max(most, bid.price), 0)
      const end = Math.floor(group[0]!.dateTime / 10_000) * 10_000 + 10_000
      return [...group, ...bidsAt(end)].filter((bid) => bid.price === price).map(short)
    })
  },
  q8({ persons, auctions }) {
    const auctionsOf = indexed(auctions, ({ seller }) => seller)
    return persons.flatMap(({ id, name, dateTime }) => {
      const starttime = Math.floor(dateTime / 10_000) * 10_000
      const opened = auctionsOf(id).some((a) => a.dateTime >= starttime && a.dateTime < starttime + 10_000)
      return opened ? [{ id, name, starttime }] : []
    })
  },
  q9: (site) =>
    sales(site).map(({ auction: { extra: _, ...item }, bid }) => ({
      ...item,
      auction: bid.auction,
      bidder: bid.bidder,
      price: bid.price,
      bidDateTime: bid.dateTime,
    })),
  q10: bidsOnly((bid) => [
    { ...short(bid), date: iso(bid.dateTime).slice(0, 10), time: iso(bid.dateTime).slice(11, 16) },
  ]),
  q11: ({ bids }) =>
    grouped(bids, ({ bidder }) => bidder).flatMap((group) => {
      const rows: { bidder: number; bidCount: number; starttime: number; endtime: number }[] = []
      for (const { bidder, dateTime } of group.toSorted((a, b) => a.dateTime - b.dateTime)) {
        const last = rows.at(-1)
        if (last !== undefined && dateTime < last.endtime) {
          last.bidCount++
          last.endtime = dateTime + 10_000
        } else rows.push({ bidder, bidCount: 1, starttime: dateTime, endtime: dateTime + 10_000 })
      }
      return rows
    }),
  q13: bidsOnly((bid) => [{ ...short(bid), value: String(bid.auction % 10_000) }]),
  q14: bidsOnly((bid) => {
    const price = euros(bid.price)
    if (!(Number(price) > 1_000_000 && Number(price) < 50_000_000)) return []
    const hour = new Date(bid.dateTime).getUTCHours()
    const bidTimeType = hour >= 8 && hour <= 18 ? 'dayTime' : hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime'
    return [{ ...short(bid), price, bidTimeType, cCounts: (bid.extra ?? '').split('c').length - 1 }]
  }),
  q15: ({ bids }) =>
    grouped(bids, ({ dateTime }) => iso(dateTime).slice(0, 10)).map((group) => ({
      day: iso(group[0]!.dateTime).slice(0, 10),
      ...statistics(group),
    })),
  q16: ({ bids }) =>
    grouped(bids, ({ channel, dateTime }) => channel + iso(dateTime).slice(0, 10)).map((group) => ({
      channel: group[0]!.channel,
      day: iso(group[0]!.dateTime).slice(0, 10),
      minute: iso(group.reduce((latest, { dateTime }) => Math.max(latest, dateTime), 0)).slice(11, 16),
      ...statistics(group),
    })),
  q17: ({ bids }) =>
    grouped(bids, ({ auction, dateTime }) => auction + iso(dateTime).slice(0, 10)).map((group) => {
      const prices = group.map(({ price }) => price)
      const { totalBids, rank1Bids, rank2Bids, rank3Bids } = statistics(group)
      return {
        auction: group[0]!.auction,
        day: iso(group[0]!.dateTime).slice(0, 10),
        totalBids,
        rank1Bids,
        rank2Bids,
        rank3Bids,
        minPrice: prices.reduce((a, b) => Math.min(a, b)),
        maxPrice: prices.reduce((a, b) => Math.max(a, b)),
        avgPrice: average(prices),
        sumPrice: prices.reduce((a, b) => a + b, 0),
      }
    }),
  q18: ({ bids }) =>
    grouped(bids, ({ bidder, auction }) => `${bidder} ${auction}`).map((group) => ({
      ...group.toSorted((a, b) => b.dateTime - a.dateTime || ((a.extra ?? '') < (b.extra ?? '') ? -1 : 1))[0]!,
    })),
  q19: ({ bids }) =>
    grouped(bids, ({ auction }) => auction).flatMap((group) =>
      group
        .toSorted((a, b) => b.price - a.price)
        .slice(0, 10)
        .map((bid, i) => ({ ...bid, rankNumber: i + 1 })),
    ),
  q20({ bids, auctions }) {
    const auctionOf = indexed(auctions, ({ id }) => id)
    return bids.flatMap(({ dateTime, extra, ...bid }) =>
      auctionOf(bid.auction)
        .filter(({ category }) => category === 10)
        .map(({ id: _, dateTime: auctionDateTime, extra: auctionExtra, ...auction }) => ({
          ...bid,
          bidDateTime: dateTime,
          bidExtra: extra,
          ...auction,
          auctionDateTime,
          auctionExtra,
        })),
    )
  },
  q21: bidsOnly(({ auction, bidder, price, channel, url }) => {
    const at = ['apple', 'google', 'facebook', 'baidu'].indexOf(channel.toLowerCase())
    const channelId = at >= 0 ? String(at) : channelIdIn(url)
    return channelId === undefined ? [] : [{ auction, bidder, price, channel, channelId }]
  }),
  q22: bidsOnly(({ auction, bidder, price, channel, url }) => {
    const parts = url.split('/')
    return [{ auction, bidder, price, channel, dir1: parts[3] ?? null, dir2: parts[4] ?? null, dir3: parts[5] ?? null }]
  }),
  q23({ bids, persons, auctions }) {
    const personsOf = indexed(persons, ({ id }) => id)
    const auctionsOf = indexed(auctions, ({ seller }) => seller)
    return bids.flatMap(({ bidder, price, channel }) =>
      personsOf(bidder).flatMap(({ id: personId, name }) =>
        auctionsOf(personId).map(({ seller: auctionSeller, dateTime: auctionDateTime, itemName }) => ({
          bidder,
          price,
          channel,
          personId,
          name,
          auctionSeller,
          auctionDateTime,
          itemName,
        })),
      ),
    )
  },
}
