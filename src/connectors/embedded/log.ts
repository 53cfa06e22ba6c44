import { DhaaraError } from '../../errors/index.ts'
import type { Backend, WriteBatch } from '../../state/backend.ts'
import { asBuffer, frameCount, headProblem, sealFrame } from '../broker/frame.ts'
import type { Appended, FetchedBatch, LogTransaction, OwnedLog, TopicConfig, TopicInfo } from '../broker/log.ts'
import { frameKey, groupKey, nextIdKey, topicKey, topicRange } from '../broker/log-keys.ts'
import { LogReader } from '../broker/log-reader.ts'
import { compactStep } from './compaction.ts'
import { PartitionState } from './partition.ts'
import { retainStep } from './retention.ts'

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
    if (this.#open !== undefined) {
      throw new DhaaraError(
        'DHAARA_INTERNAL',
        'A transaction of the log is open; commit or roll it back before another one begins',
      )
    }
    this.#open = new Transaction(this, batch, this.#now(), (appended) => {
      this.#open = undefined
      if (appended.length > 0) for (const listener of this.#listeners) listener(appended)
    })
    return this.#open
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

  #nextId(batch: WriteBatch): number {
    const stored = this.#backend.get(nextIdKey)
    const id = stored === undefined ? 1 : (JSON.parse(asBuffer(stored).toString()) as number)
    batch.put(nextIdKey, Buffer.from(JSON.stringify(id + 1)))
    return id
  }
}

interface Reservation {
  readonly state: PartitionState
  readonly base: number
  end: number
  totalBytes: number
}

class Transaction implements LogTransaction {
  readonly batch: WriteBatch
  readonly #log: EmbeddedLog
  readonly #now: number
  readonly #done: (appended: readonly Appended[]) => void
  readonly #reserved = new Map<PartitionState, Reservation>()
  #ended = false

  constructor(log: EmbeddedLog, batch: WriteBatch, now: number, done: (appended: readonly Appended[]) => void) {
    this.#log = log
    this.batch = batch
    this.#now = now
    this.#done = done
  }

  append(topic: string, partition: number, bytes: Uint8Array): number {
    this.#check()
    const state = this.#log.state(topic, partition)
    const frame = asBuffer(bytes)
    const problem = headProblem(frame)
    if (problem !== undefined) {
      throw new DhaaraError('DHAARA_INTERNAL', `What is to be appended to topic '${topic}' is no frame: ${problem}`)
    }
    const count = frameCount(frame)
    let reserved = this.#reserved.get(state)
    const base = reserved?.end ?? state.end
    if (count === 0) return base
    if (reserved === undefined) {
      reserved = { state, base, end: base, totalBytes: state.totalBytes }
      this.#reserved.set(state, reserved)
    }
    reserved.end += count
    reserved.totalBytes += frame.length
    sealFrame(frame, reserved.end - 1, this.#now, reserved.totalBytes)
    this.batch.put(frameKey(state.topic.id, partition, reserved.end - 1), frame)
    return base
  }

  setGroupOffset(group: string, topic: string, partition: number, offset: number): void {
    this.#check()
    const value = Buffer.allocUnsafe(8)
    value.writeDoubleLE(offset)
    this.batch.put(groupKey(group, this.#log.state(topic, partition).topic.id, partition), value)
  }

  commit(options?: { readonly sync?: boolean }): void {
    this.#check()
    try {
      this.batch.commit(options)
    } catch (error) {
      this.rollback()
      throw error
    }
    this.#ended = true
    const appended: Appended[] = []
    for (const { state, base, end, totalBytes } of this.#reserved.values()) {
      state.end = end
      state.totalBytes = totalBytes
      appended.push({ topic: state.topic.name, partition: state.partition, baseOffset: base, endOffset: end })
    }
    this.#done(appended)
  }

  rollback(): void {
    if (this.#ended) return
    this.#ended = true
    this.#done([])
  }

  #check(): void {
    if (this.#ended)
      throw new DhaaraError('DHAARA_INTERNAL', 'This transaction of the log has ended; begin another one')
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
