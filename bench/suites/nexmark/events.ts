/**
 * The three kinds of events of the Nexmark auction site (Tucker, Tufte, Papadimos, Maier: "NEXMark – A Benchmark for
 * Queries over Data Streams"; fields as in the Nexmark SQL suite). Times are epoch milliseconds, prices whole numbers; `extra`,
 * the filler, is null where an event has none.
 */
export interface Person {
  readonly id: number
  readonly name: string
  readonly emailAddress: string
  readonly creditCard: string
  readonly city: string
  readonly state: string
  readonly dateTime: number
  readonly extra: string | null
}

export interface Auction {
  readonly id: number
  readonly itemName: string
  readonly description: string
  readonly initialBid: number
  readonly reserve: number
  readonly dateTime: number
  readonly expires: number
  readonly seller: number
  readonly category: number
  readonly extra: string | null
}

export interface Bid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly dateTime: number
  readonly extra: string | null
}

export type NexmarkEvent = { readonly person: Person } | { readonly auction: Auction } | { readonly bid: Bid }

/** The kinds of events by the name that an event has one of. */
export interface Kinds {
  readonly person: Person
  readonly auction: Auction
  readonly bid: Bid
}

type TypesOf<T> = {
  readonly [P in keyof T]: T[P] extends number ? 'number' : T[P] extends string ? 'string' : 'string?'
}

export const columnTypes: { readonly [K in keyof Kinds]: TypesOf<Kinds[K]> } = {
  person: {
    id: 'number',
    name: 'string',
    emailAddress: 'string',
    creditCard: 'string',
    city: 'string',
    state: 'string',
    dateTime: 'number',
    extra: 'string?',
  },
  auction: {
    id: 'number',
    itemName: 'string',
    description: 'string',
    initialBid: 'number',
    reserve: 'number',
    dateTime: 'number',
    expires: 'number',
    seller: 'number',
    category: 'number',
    extra: 'string?',
  },
  bid: {
    auction: 'number',
    bidder: 'number',
    price: 'number',
    channel: 'string',
    url: 'string',
    dateTime: 'number',
    extra: 'string?',
  },
}

/** What is null is not there: some write all three kinds into each event. */
export const isPerson = (event: NexmarkEvent): event is { readonly person: Person } =>
  'person' in event && event.person !== null
export const isAuction = (event: NexmarkEvent): event is { readonly auction: Auction } =>
  'auction' in event && event.auction !== null
export const isBid = (event: NexmarkEvent): event is { readonly bid: Bid } => 'bid' in event && event.bid !== null

/** Event time. */
export const timeOf = (event: NexmarkEvent): number =>
  isBid(event) ? event.bid.dateTime : isAuction(event) ? event.auction.dateTime : event.person.dateTime
