/**
 * The three kinds of events of the Nexmark auction site (Tucker, Tufte, Papadimos, Maier: "NEXMark – A Benchmark for
 * Queries over Data Streams"; fields as in the Nexmark SQL suite). Times are epoch milliseconds, prices whole numbers.
 */
export interface Person {
  readonly id: number
  readonly name: string
  readonly emailAddress: string
  readonly creditCard: string
  readonly city: string
  readonly state: string
  readonly dateTime: number
  readonly extra: string
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
  readonly extra: string
}

export interface Bid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly dateTime: number
  readonly extra: string
}

export type NexmarkEvent = { readonly person: Person } | { readonly auction: Auction } | { readonly bid: Bid }

/** What is null is not there: some write all three kinds into each event. */
export const isPerson = (event: NexmarkEvent): event is { readonly person: Person } =>
  'person' in event && event.person !== null
export const isAuction = (event: NexmarkEvent): event is { readonly auction: Auction } =>
  'auction' in event && event.auction !== null
export const isBid = (event: NexmarkEvent): event is { readonly bid: Bid } => 'bid' in event && event.bid !== null

/** Event time. */
export const timeOf = (event: NexmarkEvent): number =>
  isBid(event) ? event.bid.dateTime : isAuction(event) ? event.auction.dateTime : event.person.dateTime
