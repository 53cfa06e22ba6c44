/**
 * Nexmark's generator, as the Nexmark SQL suite has it: of 50 events 1 person, 3 auctions, 46 bids; hot sellers, auctions
 * and bidders; sizes of about 200, 500 and 100 bytes. Seeded: the same parameters give the same events, and a shorter run is
 * a prefix of a longer one. Deviations: random numbers are sfc32, not Java's; times are spaced evenly at `rate`.
 */
import { Random } from '../../workload/random.ts'
import type { Auction, Bid, NexmarkEvent, Person } from './events.ts'

export interface NexmarkParams {
  readonly seed: number
  /** Events a second of event time. */
  readonly rate: number
}

export const defaultParams: NexmarkParams = { seed: 20_240_229, rate: 10_000 }

/** Event time of the first event: 2015-07-15T00:00:00Z. */
export const baseTime = 1_436_918_400_000

const persons = 1
const auctions = 3
const total = 50
const firstId = 1000
const firstCategory = 10
const categories = 5
const activePeople = 1000
const inFlightAuctions = 100
/** Of so many draws, all but one go to a hot one. */
const hotAuctionRatio = 2
const hotSellerRatio = 4
const hotBidderRatio = 4
/** A hot id is the last multiple of this. */
const hotStep = 100
const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'] as const
const cities = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
] as const
const firstNames = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter']
const lastNames = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris']
const hotChannels = ['Google', 'Facebook', 'Baidu', 'Apple'] as const
const otherChannels = 10_000

/** Makes events one after the other. */
export function nexmarkGenerator({ seed, rate }: NexmarkParams = defaultParams): () => NexmarkEvent {
  const random = new Random(seed)
  const urls = Array.from({ length: otherChannels }, (_, i) => channelUrl(random, i))
  const hotUrls = hotChannels.map(() => baseUrl(random))
  let next = 0
  return () => {
    const number = next++
    const at = timeOfEvent(number, rate)
    const place = number % total
    if (place < persons) return { person: personAt(random, number, at) }
    if (place < persons + auctions) return { auction: auctionAt(random, number, at, rate) }
    return { bid: bidAt(random, number, at, urls, hotUrls) }
  }
}

const timeOfEvent = (number: number, rate: number): number => baseTime + Math.floor((number * 1000) / rate)

/** Persons made before event `number`, less the one it makes; ids count from 0. */
function lastPerson(number: number): number {
  return Math.floor(number / total) * persons + Math.min(number % total, persons - 1)
}

/** -1: none yet. */
function lastAuction(number: number): number {
  const place = number % total
  const epoch = Math.floor(number / total)
  if (place < persons) return epoch * auctions - 1
  return epoch * auctions + Math.min(place - persons, auctions - 1)
}

function personAt(random: Random, number: number, dateTime: number): Person {
  const person = {
    id: firstId + lastPerson(number),
    name: `${pick(random, firstNames)} ${pick(random, lastNames)}`,
    emailAddress: `${letters(random, 7)}@${letters(random, 5)}.com`,
    creditCard: Array.from({ length: 4 }, () => String(random.below(10_000)).padStart(4, '0')).join(' '),
    city: pick(random, cities),
    state: pick(random, states),
    dateTime,
  }
  const size = 8 + person.name.length + person.emailAddress.length + person.creditCard.length + person.city.length + 2
  return { ...person, extra: filler(random, size, 200) }
}

function auctionAt(random: Random, number: number, dateTime: number, rate: number): Auction {
  const id = firstId + lastAuction(number)
  const seller = random.below(hotSellerRatio) > 0 ? hot(lastPerson(number)) : somePerson(random, number)
  const initialBid = price(random)
  const auction = {
    id,
    itemName: letters(random, 20),
    description: letters(random, 100),
    initialBid,
    reserve: initialBid + price(random),
    dateTime,
    expires: dateTime + auctionLength(random, number, rate),
    seller: firstId + seller,
    category: firstCategory + random.below(categories),
  }
  const size = 8 + auction.itemName.length + auction.description.length + 8 * 5
  return { ...auction, extra: filler(random, size, 500) }
}

function bidAt(
  random: Random,
  number: number,
  dateTime: number,
  urls: readonly string[],
  hotUrls: readonly string[],
): Bid {
  const newest = lastAuction(number)
  const auction = random.below(hotAuctionRatio) > 0 ? hot(newest) : someAuction(random, newest)
  const bidder = random.below(hotBidderRatio) > 0 ? hot(lastPerson(number)) + 1 : somePerson(random, number)
  const bid = { auction: firstId + auction, bidder: firstId + bidder, price: price(random) }
  const busy = random.below(2) > 0
  const channel = random.below(busy ? hotChannels.length : otherChannels)
  return {
    ...bid,
    channel: busy ? hotChannels[channel]! : `channel-${channel}`,
    url: (busy ? hotUrls : urls)[channel]!,
    dateTime,
    extra: filler(random, 8 * 4, 100),
  }
}

const hot = (newest: number): number => Math.max(0, Math.floor(newest / hotStep) * hotStep)

function somePerson(random: Random, number: number): number {
  const made = lastPerson(number) + 1
  const active = Math.min(made, activePeople)
  // Some draw a person who comes later.
  return made - active + random.below(active + 10)
}

function someAuction(random: Random, newest: number): number {
  const oldest = Math.max(0, newest - inFlightAuctions)
  return oldest + random.below(newest - oldest + 1 + 10)
}

function auctionLength(random: Random, number: number, rate: number): number {
  const events = (inFlightAuctions * total) / auctions
  const horizon = timeOfEvent(number + Math.floor(events), rate) - timeOfEvent(number, rate)
  return 1 + random.below(Math.max(horizon * 2, 1))
}

const price = (random: Random): number => Math.round(10 ** (random.unit() * 6) * 100)

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)]!

function baseUrl(random: Random): string {
  const part = (): string => letters(random, 5).replaceAll(' ', '_')
  return `https://www.nexmark.com/${part()}/${part()}/${part()}/item.htm?query=1`
}

function channelUrl(random: Random, channel: number): string {
  const url = baseUrl(random)
  return random.below(10) > 0 ? `${url}&channel_id=${reversed(channel)}` : url
}

/** The number with its 31 bits in reverse. */
function reversed(number: number): number {
  let bits = 0
  for (let i = 0; i < 31; i++) bits = (bits << 1) | ((number >>> i) & 1)
  return bits >>> 0
}

/** Texts are written here first: joined character by character they would be chains of pieces, many times their size. */
const scratch = Buffer.alloc(1024)

/** 3 to `most` letters, one in 13 a space inside. */
function letters(random: Random, most: number): string {
  const length = 3 + random.below(most - 2)
  for (let i = 0; i < length; i++) scratch[i] = random.below(13) === 0 ? 0x20 : 0x61 + random.below(26)
  return scratch.latin1Slice(0, length).trim()
}

/** What brings a record of `size` bytes to about `wanted`, give or take a fifth. */
function filler(random: Random, size: number, wanted: number): string {
  if (size >= wanted) return ''
  const spread = Math.round((wanted - size) * 0.2)
  const length = wanted - size - spread + random.below(2 * spread + 1)
  let bits = 0
  for (let i = 0; i < length; i++) {
    if (i % 6 === 0) bits = random.next()
    scratch[i] = 65 + (bits & 31)
    bits >>>= 5
  }
  return scratch.latin1Slice(0, length)
}
