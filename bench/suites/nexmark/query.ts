import type { KStream, StreamsBuilder, WatermarkStrategy } from '../../../src/index.ts'
import { serdes, watermarks } from '../../../src/index.ts'
import { type Auction, type Bid, isAuction, isBid, isPerson, type NexmarkEvent, type Person, timeOf } from './events.ts'

/** Topic that all queries read. */
export const eventsTopic = 'nexmark'
/** Topic that all queries write. */
export const rowsTopic = 'rows'

/** What a query prints of one row: columns by name. */
export type Row = Readonly<Record<string, unknown>>

export interface Query {
  readonly summary: string
  /** `append`: each record is a row. `update`: the last value of each key holds that key's rows; null, or [], is none. */
  readonly mode: 'append' | 'update'
  rows(site: Site): KStream<any, any>
  /** Its windows, and the times of its rows, are those of the wall clock. */
  readonly wallClock?: true
  /** Rows of a table beside the events: topic, and its values by number. */
  readonly sideInput?: { readonly topic: string; readonly values: readonly string[] }
  /** File, relative to a folder, that a row also goes to. */
  readonly file?: (row: Row) => string
}

/** The auction site's streams. Each getter adds its steps once, so that a query's plan has only what it reads. */
export class Site {
  readonly builder: StreamsBuilder
  readonly events: KStream<null, NexmarkEvent>
  #persons: KStream<null, Person> | undefined
  #auctions: KStream<null, Auction> | undefined
  #bids: KStream<null, Bid> | undefined

  constructor(builder: StreamsBuilder, watermark: WatermarkStrategy = watermarks.boundedOutOfOrderness('4s')) {
    this.builder = builder
    this.events = builder.stream<null, NexmarkEvent>(eventsTopic, {
      value: serdes.json<NexmarkEvent>(),
      timestamp: timeOf,
      watermark,
    })
  }

  get persons(): KStream<null, Person> {
    this.#persons ??= this.events.filter(isPerson).mapValues(({ person }) => person)
    return this.#persons
  }

  get auctions(): KStream<null, Auction> {
    this.#auctions ??= this.events.filter(isAuction).mapValues(({ auction }) => auction)
    return this.#auctions
  }

  get bids(): KStream<null, Bid> {
    this.#bids ??= this.events.filter(isBid).mapValues(({ bid }) => bid)
    return this.#bids
  }
}
