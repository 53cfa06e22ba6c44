import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Auction, Bid, NexmarkEvent, Person } from '../../../bench/suites/nexmark/events.ts'
import { reference, siteOf } from '../../../bench/suites/nexmark/reference.ts'
import { rowsOf, sortedRows } from './rows-of.ts'

/** 20 s before a midnight, UTC. */
const base = 1_436_918_400_000 - 20_000

/** Edges of windows, of sessions' gaps and of days are as frequent as all that lies between them. */
const time = fc.oneof(
  fc.integer({ min: 0, max: 45_000 }),
  fc.integer({ min: 0, max: 22 }).map((n) => n * 2_000),
  fc.integer({ min: 0, max: 22 }).map((n) => n * 2_000 + 1),
  fc.integer({ min: 1, max: 4 }).map((n) => n * 10_000 - 1),
  // Other hours, for what depends on the time of day.
  fc.integer({ min: 0, max: 23 }).map((hour) => hour * 3_600_000),
)
const at = time.map((ms) => base + ms)
const id = fc.integer({ min: 1000, max: 1006 })
const some = (...values: string[]) => fc.constantFrom(...values)
const extra = some('', 'c', 'cc', 'aCbc', 'ä c', '"\\')
/** Both sides of each limit that a query has; few, so that there are ties. */
const price = fc.constantFrom(
  0,
  1,
  7,
  123,
  9_999,
  10_000,
  999_999,
  1_000_000,
  1_101_321,
  1_101_322,
  55_066_079,
  55_066_080,
)

const person: fc.Arbitrary<Person> = fc.record({
  id,
  name: some('Ann', 'Bob'),
  emailAddress: fc.constant('a@b.com'),
  creditCard: fc.constant('1 2 3 4'),
  city: some('Boise', 'Kent'),
  state: some('OR', 'id', 'CA', 'WA'),
  dateTime: at,
  extra,
})

const auction: fc.Arbitrary<Auction> = fc
  .record({
    id,
    itemName: some('thing', ''),
    description: some('old', 'new'),
    initialBid: price,
    reserve: price,
    dateTime: at,
    expires: fc.integer({ min: 0, max: 20_000 }),
    seller: id,
    category: fc.integer({ min: 10, max: 12 }),
    extra,
  })
  .map((item) => ({ ...item, expires: item.dateTime + item.expires }))

const bid: fc.Arbitrary<Bid> = fc.record({
  auction: fc.oneof(id, fc.constantFrom(123 * 9, 9_999, 10_000)),
  bidder: id,
  price,
  channel: some('Apple', 'GOOGLE', 'facebook', 'Baidu', 'channel-7', ''),
  url: some(
    'https://www.nexmark.com/a/b/c/item.htm?query=1',
    'https://www.nexmark.com/a/b/c/item.htm?query=1&channel_id=12',
    'https://www.nexmark.com/a/b/c/item.htm?query=1&channel_id=&x=/y',
    'https://www.nexmark.com/a//c',
    'channel_id=5&a/b',
    '',
  ),
  dateTime: at,
  extra,
})

/** Ids of persons and of auctions are unique, and so is no time: only that of a bid is ever part of an answer's order. */
const events: fc.Arbitrary<NexmarkEvent[]> = fc
  .tuple(
    fc.uniqueArray(person, { selector: ({ id }) => id, maxLength: 7 }),
    fc.uniqueArray(auction, { selector: ({ id }) => id, maxLength: 7 }),
    fc.array(bid, { maxLength: 60 }),
    fc.infiniteStream(fc.nat()),
  )
  .map(([persons, auctions, bids, random]) => {
    const all: NexmarkEvent[] = [
      ...persons.map((person) => ({ person })),
      ...auctions.map((auction) => ({ auction })),
      ...bids.map((bid) => ({ bid })),
    ]
    const keyed = all.map((event) => ({ event, rank: random.next().value }))
    return keyed.toSorted((a, b) => a.rank - b.rank).map(({ event }) => event)
  })

/** Of 10,000 rows those that a bid here may meet. */
const sideKeys = new Set([0, 9_999, 123 * 9, ...Array.from({ length: 7 }, (_, i) => 1000 + i)])

describe('Nexmark queries over rough events', function () {
  this.timeout(60_000)

  for (const [name, expected] of Object.entries(reference)) {
    it(`${name}: in any order, with ties, empty sides and times on the edges`, () => {
      fc.assert(
        fc.property(events, (list) => {
          assert.deepEqual(
            sortedRows(rowsOf(name, list, { ordered: false, sideKeys })),
            sortedRows(expected(siteOf(list))),
          )
        }),
        { numRuns: Number(process.env['RUNS'] ?? 25) },
      )
    })
  }
})
