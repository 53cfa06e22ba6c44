import { type KStream, type StreamsBuilder, serdes } from '../../../../src/index.ts'

export const text = { key: serdes.string(), value: serdes.string() }

/** What every user function here does with what it is given. */
export function trip<T>(value: unknown, result: T): T {
  if (typeof value === 'string' && value.includes('boom')) throw new RangeError('it went boom')
  return result
}

export type Text = KStream<string | null, string>

export type Sent = readonly [key: string, value: string, timestamp: number]

const good: readonly Sent[] = [
  ['a', 'one', 10],
  ['b', 'two', 11],
  ['a', 'three', 12],
]

/** A kind of user function: a topology from 'in' to 'out' that has one of it. */
export interface Kind {
  readonly name: string
  /** Part of the name of the step that the error must tell. */
  readonly step: string
  readonly code?: string
  readonly domain?: 'user' | 'data' | 'external'
  /** Time makes it fail, and no record. */
  readonly timed?: boolean
  /** The bad record comes behind the good ones, at this time. */
  readonly at?: number
  /** The bad records, where they are others. */
  readonly bad?: readonly Sent[]
  /** Where the record lies at which it fails, where that is another. */
  readonly offset?: number
  /** What comes behind them. */
  readonly later?: readonly Sent[]
  /** What the failing step did not do shows in later rows. */
  readonly partial?: boolean
  readonly build: (input: Text, builder: StreamsBuilder) => Text | undefined
  /** Of the source. */
  readonly source?: object
  /** Of the sink. */
  readonly sink?: object
  /** Runs in an app only: the test driver has no asynchronous steps. */
  readonly appOnly?: boolean
}

export const own = { name: 'culprit' }

/** What was last seen by functions that are handed nothing. */
export const last = { seen: '' }
export const noting = (input: Text): Text => input.peek((value) => void (last.seen = value))

export const toText = (input: unknown): Text =>
  (input as KStream<unknown, unknown>).map(
    (value, key) => [typeof key === 'string' ? key : JSON.stringify(key), JSON.stringify(value ?? null)] as const,
    text,
  ) as Text

export const listed = [() => '', (all: string, value: string) => `${all}${value},`] as const

/** What a kind is sent, without what makes it fail, and with it; `offset`: of the first record that does. */
export function records({ at, offset: told, bad = [['a', 'boom', at ?? 11]], later = [] }: Kind) {
  const last = at !== undefined || bad.some(([, , ts]) => ts > 12)
  const offset = last ? good.length : 2
  return {
    offset: told ?? offset,
    fine: [...good, ...later],
    given: [...good.slice(0, offset), ...bad, ...good.slice(offset), ...later],
  }
}
