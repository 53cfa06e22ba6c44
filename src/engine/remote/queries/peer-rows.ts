import {
  changeIn,
  frameKind,
  type Question,
  type QuestionOf,
  type RawRange,
  type RawRows,
  type RawValues,
  type RawWindows,
  type RowPages,
  type RowSource,
  rowsIn,
  type StoreLayout,
  type WatchedRows,
  type WatchFrom,
} from '../../query/index.ts'
import type { PeerClient } from './peer-client.ts'

/** What every question says besides: from whom to whom, as the asker believes things to be. */
export interface Envelope {
  readonly app: string
  /** Whom it is meant for; another one refuses. */
  readonly instance: string
  /** Hash of the asker's topology. */
  readonly topology: string
  /** Of the group, when it told who has what. */
  readonly generation: number
}

/** A question as JSON: bytes are base64. */
export type SentQuestion = Envelope &
  Omit<QuestionOf, 'question'> & {
    readonly type: Question['type']
    readonly keys?: readonly string[]
    readonly gte?: string
    readonly lt?: string
    readonly from?: number
    readonly to?: number
    readonly reverse?: boolean
    readonly now?: boolean
  }

/** Keys of one request, so that it stays under what a server takes. */
const mostKeyBytes = 256 << 10

/** Rows of partitions that another instance has. */
export class PeerRows implements RowSource {
  private readonly client: PeerClient
  private readonly at: string
  private readonly envelope: Envelope
  private readonly of: Omit<QuestionOf, 'question' | 'store'>
  private readonly signal: AbortSignal | undefined

  constructor(
    client: PeerClient,
    at: string,
    envelope: Envelope,
    of: Omit<QuestionOf, 'question' | 'store'>,
    signal: AbortSignal | undefined,
  ) {
    this.client = client
    this.at = at
    this.envelope = envelope
    this.of = of
    this.signal = signal
  }

  async get({ name }: StoreLayout, keys: readonly Uint8Array[]): Promise<RawValues> {
    const values: (Uint8Array | undefined)[] = []
    for (let from = 0; from < keys.length; ) {
      let bytes = 0
      let to = from
      while (to < keys.length && (to === from || bytes < mostKeyBytes)) bytes += (keys[to++] as Uint8Array).length + 8
      const sent = this.question(name, { type: 'get', keys: keys.slice(from, to) })
      for await (const { kind, body } of this.client.ask(this.at, sent, this.signal))
        if (kind === frameKind.rows) values.push(...(rowsIn(body) as RawValues))
      from = to
    }
    return values
  }

  scan({ name }: StoreLayout, range: RawRange): RowPages {
    return this.pages(this.question(name, { type: 'scan', ...range }))
  }

  windows({ name }: StoreLayout, range: RawWindows): RowPages {
    return this.pages(this.question(name, { type: 'windows', ...range }))
  }

  async *watch({ name }: StoreLayout, what: WatchedRows, from: WatchFrom, signal: AbortSignal) {
    const question = this.question(name, { type: 'watch', what, from })
    try {
      for await (const { kind, body } of this.client.ask(this.at, question, signal))
        if (kind === frameKind.change) yield changeIn(body)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** undefined: it does not know. */
  async estimate({ name }: StoreLayout): Promise<number | undefined> {
    for await (const { kind, body } of this.client.ask(this.at, this.question(name, { type: 'estimate' }), this.signal))
      if (kind === frameKind.number) return body.readDoubleLE(0)
    return undefined
  }

  private question(store: string, question: Question): SentQuestion {
    return sentQuestion(this.envelope, { ...this.of, store, question })
  }

  private pages(question: SentQuestion): RowPages {
    const ending = new AbortController()
    const signal = this.signal === undefined ? ending.signal : AbortSignal.any([this.signal, ending.signal])
    const frames = this.client.ask(this.at, question, signal)
    // asked for at once, as of this moment
    let ahead: ReturnType<typeof frames.next> | undefined = frames.next()
    ahead.catch(() => {})
    return {
      async next(): Promise<RawRows> {
        const { done, value: frame } = await (ahead ?? frames.next())
        ahead = undefined
        return done ? [] : (rowsIn(frame.body) as RawRows)
      },
      close(): void {
        ending.abort()
        frames.return().catch(() => {})
      },
    }
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64')

function sentQuestion(envelope: Envelope, { question, ...of }: QuestionOf): SentQuestion {
  const all = { ...envelope, ...of, type: question.type }
  if (question.type === 'get') return { ...all, keys: question.keys.map(text) }
  if (question.type === 'scan') {
    const { gte, lt, reverse } = question
    return {
      ...all,
      ...(gte === undefined ? {} : { gte: text(gte) }),
      ...(lt === undefined ? {} : { lt: text(lt) }),
      reverse,
    }
  }
  if (question.type === 'windows') {
    const { key, from, to, reverse } = question
    return { ...all, keys: [text(key)], from, to, reverse }
  }
  if (question.type === 'watch') {
    const { what, from } = question
    const now = from === 'now'
    if (what.kind === 'key') return { ...all, keys: [text(what.key)], now }
    if (what.kind === 'all') return { ...all, now }
    const { gte, lt } = what
    return {
      ...all,
      ...(gte === undefined ? {} : { gte: text(gte) }),
      ...(lt === undefined ? {} : { lt: text(lt) }),
      now,
    }
  }
  return all
}

/** The question that was sent. */
export function questionIn(sent: SentQuestion): Question {
  const { type, keys = [], from = 0, to = 0, reverse = false, now = false } = sent
  if (type === 'get') return { type, keys: keys.map(bytes) }
  if (type === 'windows') return { type, key: bytes(keys[0] ?? ''), from, to, reverse }
  if (type === 'estimate') return { type }
  const range = {
    ...(sent.gte === undefined ? {} : { gte: bytes(sent.gte) }),
    ...(sent.lt === undefined ? {} : { lt: bytes(sent.lt) }),
  }
  if (type === 'scan') return { type, ...range, reverse }
  const [key] = keys
  const bounded = sent.gte !== undefined || sent.lt !== undefined
  const what: WatchedRows =
    key !== undefined ? { kind: 'key', key: bytes(key) } : bounded ? { kind: 'range', ...range } : { kind: 'all' }
  return { type, what, from: now ? 'now' : 'snapshot' }
}
