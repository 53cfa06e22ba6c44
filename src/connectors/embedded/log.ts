import { DhaaraError } from '../../errors/index.ts'
import type { Backend, WriteBatch } from '../../state/backend.ts'
import { asBuffer } from '../broker/frame.ts'
import type {
  ApartTransaction,
  Appended,
  FetchedBatch,
  LogTransaction,
  OwnedLog,
  TopicConfig,
  TopicInfo,
} from '../broker/log.ts'
import { nextIdKey, topicKey, topicRange } from '../broker/log-keys.ts'
import { LogReader } from '../broker/log-reader.ts'
import { compactStep } from './compaction.ts'
import { PartitionState } from './partition.ts'
import { retainStep } from './retention.ts'
import { Apart, Transaction } from './transaction.ts'

/** Steps of retention and compaction in one call of `maintain`; each reads at most a few MiB. */
const stepsACall = 8

export interface EmbeddedLogOptions {
  /** The clock that retention goes by; default `Date.now`. */
  readonly now?: () => number
}

/** Topics in a database that this object alone writes to. */
export class EmbeddedLog extends LogReader implements OwnedLog {
  readonly #backend: Backend
  readonly #now: () => number
  readonly #states = new Map<string, (PartitionState | undefined)[]>()
  readonly #listeners = new Set<(appended: readonly Appended[]) => void>()
  #open: Transaction | undefined
  #apart: { readonly finish: () => void; readonly over: PromiseWithResolvers<void> } | undefined
  /** Where the next call of `maintain` goes on. */
  #turn = 0

  constructor(backend: Backend, options: EmbeddedLogOptions = {}) {
    super(backend)
    this.#backend = backend
    this.#now = options.now ?? Date.now
    for (const { name } of this.topics()) this.find(name)
  }

  createTopic(name: string, partitions: number, config?: TopicConfig): TopicInfo {
    checkTopic(name, partitions)
    const old = this.find(name)
    if (old !== undefined && old.partitions !== partitions) {
      throw new DhaaraError(
        'DHAARA_TOPIC_PARTITIONS',
        `Topic '${name}' has ${old.partitions} partition(s), not ${partitions}. ` +
          `Ask for ${old.partitions}, or delete the topic: records never move between partitions`,
      )
    }
    if (old !== undefined && (config === undefined || sameConfig(config, old.config))) return { name, partitions }
    const batch = this.#backend.batch()
    const id = old?.id ?? this.#nextId(batch)
    const row = { id, partitions, config: { ...config } }
    batch.put(topicKey(name), Buffer.from(JSON.stringify(row)))
    batch.commit()
    const named = { name, ...row }
    this.rows.set(name, named)
    for (const state of this.#states.get(name) ?? []) state?.configure(named)
    return { name, partitions }
  }

  deleteTopic(name: string): void {
    this.settle()
    const row = this.find(name)
    if (row === undefined) return
    const batch = this.#backend.batch()
    batch.delete(topicKey(name))
    batch.commit()
    this.rows.delete(name)
    this.#states.delete(name)
    // Ids are never given twice: what a crash leaves here is in nobody's way.
    for (const kind of [1, 2, 3] as const) {
      const { gte, lt } = topicRange(kind, row.id)
      this.#backend.clearRange(gte, lt)
    }
  }

  config(topic: string): TopicConfig {
    return this.row(topic, 0).config
  }

  override startOffset(topic: string, partition: number): number {
    return this.state(topic, partition).start
  }

  override endOffset(topic: string, partition: number): number {
    return this.state(topic, partition).end
  }

  override fetch(topic: string, partition: number, offset: number, maxBytes?: number): FetchedBatch | undefined {
    const { start, end } = this.state(topic, partition)
    return offset >= end ? undefined : super.fetch(topic, partition, Math.max(offset, start), maxBytes)
  }

  begin(batch: WriteBatch): LogTransaction {
    this.#alone()
    this.#open = new Transaction(this, batch, this.#now(), (appended) => {
      this.#open = undefined
      this.#tell(appended)
    })
    return this.#open
  }

  beginApart(rows: Pick<WriteBatch, 'put'>, finish: () => void): ApartTransaction {
    this.#alone()
    const { over } = (this.#apart = { finish, over: Promise.withResolvers<void>() })
    return new Apart(this, rows, this.#now(), (appended) => {
      this.#apart = undefined
      over.resolve()
      this.#tell(appended)
    })
  }

  free(): Promise<void> | undefined {
    return this.#apart?.over.promise
  }

  settle(): void {
    this.#apart?.finish()
  }

  onAppend(listener: (appended: readonly Appended[]) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  maintain(now: number): boolean {
    const due: PartitionState[] = []
    for (const row of this.rows.values()) {
      const { retentionMs, retentionBytes, compact } = row.config
      if (retentionMs === undefined && retentionBytes === undefined && !compact) continue
      for (let p = 0; p < row.partitions; p++) due.push(this.state(row.name, p))
    }
    let steps = 0
    for (let i = 0; i < due.length; i++) {
      const state = due[(this.#turn + i) % due.length] as PartitionState
      for (let more = true; more; ) {
        if (steps === stepsACall) {
          this.#turn = (this.#turn + i) % due.length
          return true
        }
        const retained = retainStep(this.#backend, state, now)
        const compacted = compactStep(this.#backend, state, now)
        more = retained === 'more' || compacted === 'more'
        if (retained !== 'idle' || compacted !== 'idle') steps++
      }
    }
    return false
  }

  state(topic: string, partition: number): PartitionState {
    const known = this.#states.get(topic)?.[partition]
    if (known !== undefined) return known
    const row = this.row(topic, partition)
    const state = new PartitionState(this.#backend, row, partition)
    let states = this.#states.get(topic)
    if (states === undefined) this.#states.set(topic, (states = new Array<PartitionState | undefined>(row.partitions)))
    states[partition] = state
    return state
  }

  /** Nothing else is being appended. */
  #alone(): void {
    this.settle()
    if (this.#open === undefined && this.#apart === undefined) return
    throw new DhaaraError(
      'DHAARA_INTERNAL',
      'A transaction of the log is open; commit or roll it back before another one begins',
    )
  }

  #tell(appended: readonly Appended[]): void {
    if (appended.length > 0) for (const listener of this.#listeners) listener(appended)
  }

  #nextId(batch: WriteBatch): number {
    const stored = this.#backend.get(nextIdKey)
    const id = stored === undefined ? 1 : (JSON.parse(asBuffer(stored).toString()) as number)
    batch.put(nextIdKey, Buffer.from(JSON.stringify(id + 1)))
    return id
  }
}

function checkTopic(name: string, partitions: number): void {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    throw new DhaaraError(
      'DHAARA_NAME_INVALID',
      `'${name}' can be no topic: a name has 1 to 249 letters, digits, dots, underscores and hyphens`,
    )
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 65_536) {
    throw new DhaaraError('DHAARA_OPTION', `Topic '${name}' cannot have ${partitions} partitions; give 1 to 65536`)
  }
}

function sameConfig(a: TopicConfig, b: TopicConfig): boolean {
  return (
    a.retentionMs === b.retentionMs &&
    a.retentionBytes === b.retentionBytes &&
    a.compact === b.compact &&
    a.deleteRetentionMs === b.deleteRetentionMs
  )
}
