import type { JsonFields, KStream, Serde, StreamsBuilder, WatermarkStrategy } from '../../../src/index.ts'
import { serdes, watermarks } from '../../../src/index.ts'
import { columnTypes, isAuction, isBid, isPerson, type Kinds, type NexmarkEvent, timeOf } from './events.ts'

/** Topic that all queries read. */
export const eventsTopic = 'nexmark'
/** Topic that all queries write. */
export const rowsTopic = 'rows'

/** What a query prints of one row: columns by name. */
export type Row = Readonly<Record<string, unknown>>

/** Columns by kind of event. */
export type Columns = { readonly [K in keyof Kinds]?: readonly (keyof Kinds[K])[] }
type AllColumns = { readonly [K in keyof Kinds]: readonly (keyof Kinds[K])[] }
/** An event with its columns, and with its time: the watermark goes by all events. */
type Read<C extends Columns, K extends keyof Kinds> = Pick<
  Kinds[K],
  (C[K] extends readonly (infer F extends keyof Kinds[K])[] ? F : never) | ('dateTime' & keyof Kinds[K])
>

export interface Query {
  readonly summary: string
  /** `append`: each record is a row. `update`: the last value of each key holds that key's rows; null, or [], is none. */
  readonly mode: 'append' | 'update'
  /** What it reads of the events; all, if it does not say. */
  readonly columns?: Columns
  rows(site: Site): KStream<any, any>
  /** Its windows, and the times of its rows, are those of the wall clock. */
  readonly wallClock?: true
  /** Rows of a table beside the events: topic, and its values by number. */
  readonly sideInput?: { readonly topic: string; readonly values: readonly string[] }
  /** File, relative to a folder, that a row also goes to. */
  readonly file?: (row: Row) => string
}

/** A query that has no more than these columns to work with. */
export const reading = <const C extends Columns>(
  columns: C,
  query: Omit<Query, 'columns' | 'rows'> & { rows(site: Site<C>): KStream<any, any> },
): Query => ({ ...query, columns }) as Query

/** The auction site's streams. Each getter adds its steps once, so that a query's plan has only what it reads. */
export class Site<C extends Columns = AllColumns> {
  readonly builder: StreamsBuilder
  readonly events: KStream<null, NexmarkEvent>
  #persons: KStream<null, Read<C, 'person'>> | undefined
  #auctions: KStream<null, Read<C, 'auction'>> | undefined
  #bids: KStream<null, Read<C, 'bid'>> | undefined

  constructor(
    builder: StreamsBuilder,
    columns?: C,
    watermark: WatermarkStrategy = watermarks.boundedOutOfOrderness('4s'),
  ) {
    this.builder = builder
    const value = columns === undefined ? serdes.json() : serdes.json({ fields: fieldsOf(columns) })
    this.events = builder.stream<null, NexmarkEvent>(eventsTopic, {
      value: value as Serde<NexmarkEvent>,
      timestamp: timeOf,
      watermark,
    })
  }

  get persons(): KStream<null, Read<C, 'person'>> {
    this.#persons ??= this.events.filter(isPerson).mapValues(({ person }) => person as Read<C, 'person'>)
    return this.#persons
  }

  get auctions(): KStream<null, Read<C, 'auction'>> {
    this.#auctions ??= this.events.filter(isAuction).mapValues(({ auction }) => auction as Read<C, 'auction'>)
    return this.#auctions
  }

  get bids(): KStream<null, Read<C, 'bid'>> {
    this.#bids ??= this.events.filter(isBid).mapValues(({ bid }) => bid as Read<C, 'bid'>)
    return this.#bids
  }
}

function fieldsOf(columns: Columns): JsonFields {
  const of = <K extends keyof Kinds>(kind: K): readonly [JsonFields, '?'] => {
    const types: Readonly<Record<string, 'string' | 'string?' | 'number'>> = columnTypes[kind]
    const names = ['dateTime', ...((columns[kind] ?? []) as readonly string[])]
    return [Object.fromEntries(names.map((name) => [name, types[name]!])), '?']
  }
  return { person: of('person'), auction: of('auction'), bid: of('bid') }
}
