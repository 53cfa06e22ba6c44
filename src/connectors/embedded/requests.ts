import { DhaaraError } from '../../errors/index.ts'
import type { EmbeddedLease, RequestHandler } from '../broker/broker.ts'
import type { LettersRequest } from '../broker/dead-letter.ts'
import type { FrameBuilder } from '../broker/frame-builder.ts'
import type { FetchedBatch, OwnedLog, RecordHeaders } from '../broker/log.ts'
import { Appends } from './appends.ts'
import { lettersOf } from './dead-letters.ts'
import { produce, type ProduceParams } from './produce.ts'

export interface TopicReport {
  readonly name: string
  readonly partitions: readonly { readonly start: number; readonly end: number }[]
}

export interface ConsumeParams {
  readonly topic: string
  /** Default: all. */
  readonly partitions?: readonly number[]
  /** Default 'beginning'; or the offset to begin at in every partition. */
  readonly from?: 'beginning' | 'end' | number
  /** Goes on with what is appended later; otherwise it ends where the log ended when the request came. */
  readonly follow?: boolean
}

/** A run of records of one partition, in offset order. */
export interface WireBatch {
  readonly partition: number
  readonly offsets: readonly number[]
  readonly timestamps: readonly number[]
  readonly keys: readonly (Uint8Array | null)[]
  readonly values: readonly (Uint8Array | null)[]
  readonly headers?: readonly (RecordHeaders | undefined)[]
}

/** What the owner of a directory answers, by name. */
export class Requests {
  readonly #handlers = new Map<string, RequestHandler>()

  handle(name: string, handler: RequestHandler): Disposable {
    if (this.#handlers.has(name)) {
      throw new DhaaraError('DHAARA_INTERNAL', `Requests named '${name}' are handled already`)
    }
    this.#handlers.set(name, handler)
    return { [Symbol.dispose]: () => void this.#handlers.delete(name) }
  }

  get names(): readonly string[] {
    return [...this.#handlers.keys()]
  }

  /** @throws DhaaraError DHAARA_REQUEST_UNKNOWN */
  call(name: string, params: unknown, signal: AbortSignal): unknown {
    const handler = this.#handlers.get(name)
    if (handler !== undefined) return handler(params, signal)
    throw new DhaaraError(
      'DHAARA_REQUEST_UNKNOWN',
      `Nobody answers '${name}' here; there are: ${this.names.join(', ')}. Is the app running?`,
    )
  }
}

/** The request for the names of all of them, and those about topics: `topics`, `produce`, `consume`, and `letters.…` about dead letters. */
export function addTopicRequests(
  requests: Requests,
  owner: Pick<EmbeddedLease, 'backend' | 'log' | 'ensureTopic'>,
): void {
  requests.handle('requests', () => requests.names)
  requests.handle('topics', () => reportTopics(owner.log))
  const spare: FrameBuilder[] = []
  requests.handle('produce', (params) => produce(owner, params as ProduceParams, spare))
  requests.handle('consume', (params, signal) => consume(owner.log, params as ConsumeParams, signal))
  const letters = lettersOf(owner)
  requests.handle('letters.list', (params) => {
    const { from, filter, limit, before } = params as LettersRequest
    return letters(from).list(filter, limit, before)
  })
  requests.handle('letters.replay', (params) => {
    const { from, filter = {} } = params as LettersRequest
    return letters(from).replay(filter)
  })
  requests.handle('letters.drop', (params) => {
    const { from, filter = {} } = params as LettersRequest
    return letters(from).drop(filter)
  })
}

function reportTopics(log: OwnedLog): TopicReport[] {
  return log.topics().map(({ name, partitions }) => ({
    name,
    partitions: Array.from({ length: partitions }, (_, p) => ({
      start: log.startOffset(name, p),
      end: log.endOffset(name, p),
    })),
  }))
}

async function* consume(log: OwnedLog, params: ConsumeParams, signal: AbortSignal): AsyncGenerator<WireBatch, void> {
  const { topic, from = 'beginning', follow = false } = params
  const count = log.topic(topic)?.partitions ?? 0
  // Throws if there is no such topic.
  if (count === 0) log.endOffset(topic, 0)
  const cursors = (params.partitions ?? Array.from({ length: count }, (_, p) => p)).map((partition) => {
    const end = log.endOffset(topic, partition)
    const at = from === 'beginning' ? 0 : from === 'end' ? end : from
    return { partition, at, until: follow ? Number.POSITIVE_INFINITY : end }
  })
  const appends = new Appends(log, topic)
  const wake = (): void => appends.wake()
  signal.addEventListener('abort', wake)
  try {
    while (!signal.aborted) {
      let found = false
      for (const cursor of cursors) {
        if (cursor.at >= cursor.until) continue
        const batch = log.fetch(topic, cursor.partition, cursor.at)
        if (batch === undefined) {
          if (!follow) cursor.at = cursor.until
          continue
        }
        cursor.at = batch.nextOffset
        found = true
        yield wireBatch(batch, cursor.until)
        if (signal.aborted) return
      }
      if (found) continue
      if (!follow) return
      await appends.next()
    }
  } finally {
    signal.removeEventListener('abort', wake)
    appends[Symbol.dispose]()
  }
}

function wireBatch(batch: FetchedBatch, until: number): WireBatch {
  const { data, offsets, headers } = batch
  let count = batch.count
  while (count > 0 && (offsets[count - 1] as number) >= until) count--
  const keys: (Uint8Array | null)[] = []
  const values: (Uint8Array | null)[] = []
  for (let i = 0; i < count; i++) {
    const [k, v] = [batch.keyStart[i] as number, batch.valueStart[i] as number]
    keys.push(k < 0 ? null : data.subarray(k, batch.keyEnd[i]))
    values.push(v < 0 ? null : data.subarray(v, batch.valueEnd[i]))
  }
  const wire = {
    partition: batch.partition,
    offsets: Array.from(offsets.subarray(0, count)),
    timestamps: Array.from(batch.timestamps.subarray(0, count)),
    keys,
    values,
  }
  return headers === undefined ? wire : { ...wire, headers: headers.slice(0, count) }
}
