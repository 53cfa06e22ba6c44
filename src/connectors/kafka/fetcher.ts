import { setTimeout as delay } from 'node:timers/promises'
import type { FetchedBatch } from '../broker/log.ts'
import type { ReaderOptions, RemoteReader } from '../broker/remote.ts'
import { topicReplaced } from '../broker/topic-replaced.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { KafkaCluster } from './cluster.ts'
import { KafkaAnswer, kafkaError, mayRetry } from './wire/errors.ts'
import { fetch, fetchByName } from './wire/fetch.ts'
import { noTopicId } from './wire/schema.ts'
import { type Aborted, endOfSet, readRecordSet } from './wire/record-set.ts'

/** What was fetched of a partition and not taken, as it came. */
interface Fetched {
  readonly offset: number
  readonly next: number
  readonly bytes: Buffer
  readonly aborted: readonly Aborted[] | undefined
}

interface Partition {
  readonly topic: string
  readonly partition: number
  /** Of the topic: one that is made anew under its name has another. Not all clusters give one. */
  id: string | undefined
  /** Something was answered, last at this time: from then on it is that topic that is read. */
  answeredAt: number | undefined
  readonly fetched: Fetched[]
  /** Where the next fetch begins. */
  next: number
  bytes: number
  end: number
  paused: boolean
  failure: DhaaraError | undefined
  /** An answer to an older request is dropped. */
  version: number
  /** A node has been asked for it. */
  asked: boolean
}

const mebibyte = 1 << 20
const partitionBytes = mebibyte
/** A partition is fetched while less than this is waiting to be taken. */
const aheadBytes = 2 * mebibyte
const longPoll = 500
/** A topic is not deleted and made again between two requests that are no further apart, ms. */
const unbroken = 10
/** So many runs' columns are kept to be used again. */
const mostColumns = 16

/** One request under way to each broker that leads a partition; each asks for all of its partitions that have room. */
export class Fetcher implements RemoteReader {
  readonly #cluster: KafkaCluster
  readonly #isolation: number
  readonly #bufferBytes: number
  readonly #onData: () => void
  readonly #partitions = new Map<string, Partition>()
  readonly #busy = new Set<number>()
  readonly #stop = new AbortController()
  /** Runs of an answer's records that are still needed, by its memory. */
  readonly #needed = new WeakMap<ArrayBufferLike, number>()
  /** Runs that somebody took: the memory that they lie in, where it is an answer's. */
  readonly #taken = new WeakMap<FetchedBatch, ArrayBufferLike | undefined>()
  /** Memory of columns that nobody needs. */
  readonly #columns: ArrayBufferLike[] = []
  #bytes = 0
  #turn = 0
  #scheduling = false

  constructor(cluster: KafkaCluster, options: ReaderOptions) {
    this.#cluster = cluster
    this.#isolation = options.uncommitted ? 0 : 1
    this.#bufferBytes = options.bufferBytes ?? 32 * mebibyte
    this.#onData = options.onData ?? (() => {})
  }

  add(topic: string, partition: number, offset: number): void {
    const key = keyOf(topic, partition)
    if (this.#partitions.has(key)) return
    this.#partitions.set(key, {
      topic,
      partition,
      id: undefined,
      answeredAt: undefined,
      fetched: [],
      next: offset,
      bytes: 0,
      end: Number.NaN,
      paused: false,
      failure: undefined,
      version: 0,
      asked: false,
    })
    this.#schedule()
  }

  remove(topic: string, partition: number): void {
    const state = this.#partitions.get(keyOf(topic, partition))
    if (state === undefined) return
    this.#drop(state)
    this.#partitions.delete(keyOf(topic, partition))
  }

  pause(topic: string, partition: number): void {
    this.#of(topic, partition).paused = true
  }

  resume(topic: string, partition: number): void {
    this.#of(topic, partition).paused = false
    this.#schedule()
  }

  take(topic: string, partition: number, offset: number): FetchedBatch | undefined {
    const state = this.#of(topic, partition)
    const first = state.fetched[0]
    if ((first?.offset ?? state.next) !== offset) {
      this.#drop(state)
      state.next = offset
      state.failure = undefined
      this.#schedule()
      return undefined
    }
    if (first === undefined) {
      if (state.failure !== undefined) throw state.failure
      return undefined
    }
    const { bytes, aborted } = first
    const batch = readRecordSet({
      topic,
      partition,
      offset,
      bytes,
      aborted,
      memory: (size) => this.#columnMemory(size),
    })
    state.fetched.shift()
    state.bytes -= bytes.length
    this.#bytes -= bytes.length
    this.#schedule()
    // what was unpacked lies in memory of its own
    const inPlace = batch?.data === bytes
    if (!inPlace) this.#unneeded(bytes.buffer)
    if (batch !== undefined) this.#taken.set(batch, inPlace ? bytes.buffer : undefined)
    return batch
  }

  done(batch: FetchedBatch): void {
    if (!this.#taken.has(batch)) return
    const memory = this.#taken.get(batch)
    this.#taken.delete(batch)
    if (memory !== undefined) this.#unneeded(memory)
    if (this.#columns.length < mostColumns) this.#columns.push(batch.timestamps.buffer)
  }

  end(topic: string, partition: number): number {
    return this.#of(topic, partition).end
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#partitions.clear()
  }

  #of(topic: string, partition: number): Partition {
    const state = this.#partitions.get(keyOf(topic, partition))
    if (state !== undefined) return state
    throw new DhaaraError('DHAARA_INTERNAL', `${topic}[${partition}] is not read here`)
  }

  #columnMemory(bytes: number): ArrayBufferLike {
    const memory = this.#columns.pop()
    return memory !== undefined && memory.byteLength >= bytes ? memory : new ArrayBuffer(Math.ceil(bytes * 1.25) & ~7)
  }

  /** One run fewer is needed of what lies in an answer's memory. */
  #unneeded(memory: ArrayBufferLike): void {
    const left = (this.#needed.get(memory) ?? 0) - 1
    if (left > 0) this.#needed.set(memory, left)
    else if (this.#needed.delete(memory)) this.#cluster.memory.give(memory)
  }

  #drop(state: Partition): void {
    for (const { bytes } of state.fetched) this.#unneeded(bytes.buffer)
    this.#bytes -= state.bytes
    state.bytes = 0
    state.fetched.length = 0
    state.version++
  }

  /** Once a turn of the event loop, whoever asks how often. */
  #schedule(): void {
    if (this.#scheduling) return
    this.#scheduling = true
    setImmediate(() => {
      this.#scheduling = false
      if (!this.#stop.signal.aborted) void this.#round()
    })
  }

  async #round(): Promise<void> {
    const wanted = new Map<number, { state: Partition; leaderEpoch: number }[]>()
    for (const state of this.#partitions.values()) {
      if (state.asked || state.paused || state.failure !== undefined || state.bytes >= aheadBytes) continue
      // Who has nothing waiting is always read on, lest inputs wait for each other.
      if (this.#bytes >= this.#bufferBytes && state.bytes > 0) continue
      state.asked = true
      try {
        const { leader, leaderEpoch } = await this.#cluster.leader(state.topic, state.partition)
        this.#identify(state)
        const list = wanted.get(leader)
        if (list === undefined) wanted.set(leader, [{ state, leaderEpoch }])
        else list.push({ state, leaderEpoch })
      } catch (error) {
        this.#failed([state], error)
      }
    }
    for (const [node, partitions] of wanted) {
      if (this.#busy.has(node)) for (const { state } of partitions) state.asked = false
      else void this.#fetch(node, partitions)
    }
  }

  /**
   * Holds it to the topic that the metadata name. A cluster that is being upgraded may give ids now, and now none.
   * @throws DhaaraError DHAARA_TOPIC_REPLACED
   */
  #identify(state: Partition): void {
    const id = this.#cluster.topic(state.topic)?.id ?? noTopicId
    if (id === noTopicId) return
    if (state.answeredAt !== undefined && state.id !== undefined && state.id !== id) throw topicReplaced(state.topic)
    state.id = id
  }

  /**
   * Brokers that are asked by name answer with whatever has it by now. Who has read nothing for a moment looks whether that still is
   * its topic: after the answer, so that what was answered is of it.
   */
  async #lookAgain(states: readonly Partition[], askedAt: number): Promise<void> {
    const late = states.filter((one) => one.id !== undefined && askedAt - (one.answeredAt ?? askedAt) > unbroken)
    if (late.length === 0) return
    await this.#cluster.refresh([...new Set(late.map(({ topic }) => topic))])
    for (const state of late) {
      if (this.#cluster.topic(state.topic) === undefined)
        throw new KafkaAnswer(kafkaError.leaderNotAvailable, `Topic '${state.topic}', partition ${state.partition}`)
      this.#identify(state)
    }
  }

  async #fetch(node: number, wanted: readonly { state: Partition; leaderEpoch: number }[]): Promise<void> {
    this.#busy.add(node)
    const turn = this.#turn++ % wanted.length
    const turned = [...wanted.slice(turn), ...wanted.slice(0, turn)]
    const versions = turned.map(({ state }) => state.version)
    const topics = new Map<string, { state: Partition; leaderEpoch: number }[]>()
    for (const item of turned) {
      const list = topics.get(item.state.topic)
      if (list === undefined) topics.set(item.state.topic, [item])
      else list.push(item)
    }
    const askedAt = performance.now()
    try {
      const answer = await this.#cluster.request(
        turned.some(({ state }) => state.id === undefined) ? fetchByName : fetch,
        {
          replica: -1,
          maxWaitMs: longPoll,
          minBytes: 1,
          maxBytes: 16 * mebibyte,
          isolation: this.#isolation,
          session: 0,
          sessionEpoch: -1,
          topics: Array.from(topics, ([name, list]) => ({
            name,
            id: list[0]?.state.id ?? noTopicId,
            partitions: list.map(({ state, leaderEpoch }) => ({
              partition: state.partition,
              leaderEpoch,
              offset: state.next,
              lastFetchedEpoch: -1,
              logStart: -1,
              maxBytes: partitionBytes,
            })),
          })),
          forgotten: [],
          rack: '',
        },
        node,
        'fetch',
      )
      if (answer.error !== 0) throw new KafkaAnswer(answer.error, `Reading from broker ${node}`)
      if (answer.topics.some(({ id }) => id === noTopicId)) {
        const states = turned.map(({ state }) => state)
        await this.#lookAgain(states, askedAt)
      }
      let news = false
      for (const { name, id, partitions } of answer.topics) {
        const isOf = (state: Partition): boolean => (id === noTopicId ? state.topic === name : state.id === id)
        for (const found of partitions) {
          const i = turned.findIndex(({ state }) => state.partition === found.partition && isOf(state))
          const state = turned[i]?.state
          if (state === undefined) continue
          state.asked = false
          if (state.version !== versions[i] || this.#partitions.get(keyOf(state.topic, found.partition)) !== state)
            continue
          if (this.#admit(state, found)) news = true
        }
      }
      for (const { state } of turned) state.asked = false
      if (news) this.#onData()
    } catch (error) {
      this.#failed(
        turned.map(({ state }) => state),
        error,
      )
    }
    this.#busy.delete(node)
    this.#schedule()
  }

  #admit(
    state: Partition,
    found: {
      readonly error: number
      readonly highWatermark: number
      readonly lastStable: number
      readonly logStart: number
      readonly aborted: readonly Aborted[] | null
      readonly records: Buffer | null
    },
  ): boolean {
    const { topic, partition } = state
    if (found.error !== 0) {
      const what = `Reading topic '${topic}', partition ${partition}`
      // Whom the metadata name as leader may hear of it later; those are asked again, and know whether it is gone.
      const early =
        found.error === kafkaError.unknownTopic && (state.id !== undefined || state.answeredAt === undefined)
      this.#failed(
        [state],
        new KafkaAnswer(
          early ? kafkaError.notLeader : found.error,
          found.error === kafkaError.offsetOutOfRange ? `${what}${this.#gone(state)}` : what,
        ),
      )
      return state.failure !== undefined
    }
    state.answeredAt = performance.now()
    const end = this.#isolation === 0 ? found.highWatermark : found.lastStable
    const news = !(end <= state.end)
    state.end = end
    const bytes = found.records
    if (bytes === null || bytes.length === 0) return news
    const next = endOfSet(bytes, state.next)
    if (next === state.next) return news
    this.#needed.set(bytes.buffer, (this.#needed.get(bytes.buffer) ?? 0) + 1)
    state.fetched.push({
      offset: state.next,
      next,
      bytes,
      aborted: this.#isolation === 0 ? undefined : (found.aborted ?? []),
    })
    state.next = next
    state.bytes += bytes.length
    this.#bytes += bytes.length
    return true
  }

  #gone({ next }: Partition): string {
    return `, at ${next}. What was there has been removed by the topic's retention, or the topic was made anew. Give it a longer retention; to go on with what is there, reset the positions (dhaara reset); then`
  }

  /** What passes is tried again after a pause; the rest meets who takes. */
  #failed(states: readonly Partition[], error: unknown): void {
    const lost = error instanceof KafkaAnswer && error.number === kafkaError.unknownTopic
    for (const state of states) {
      this.#cluster.forget(state.topic)
      if (mayRetry(error) && !lost) continue
      state.failure =
        error instanceof DhaaraError
          ? error
          : new DhaaraError('DHAARA_INTERNAL', `Reading '${state.topic}' failed: ${error}`, { cause: error })
      state.asked = false
      this.#onData()
    }
    if (!mayRetry(error) || lost) return
    delay(100, undefined, { signal: this.#stop.signal, ref: false }).then(
      () => {
        for (const state of states) state.asked = false
        this.#schedule()
      },
      () => {},
    )
  }
}

const keyOf = (topic: string, partition: number): string => `${partition}/${topic}`
