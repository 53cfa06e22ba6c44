import { setTimeout as delay } from 'node:timers/promises'
import { DhaaraError } from '../../errors/index.ts'
import type { SpareMemory } from '../broker/spare-memory.ts'
import type { KafkaCluster } from './cluster.ts'
import { isAnswer, KafkaAnswer, kafkaError, mayRetry, unknownFor } from './wire/errors.ts'
import type { produce } from './wire/produce.ts'
import { batchCount, setProducer } from './wire/record-batch.ts'
import { Writer } from './wire/writer.ts'

interface Item {
  readonly batch: Buffer
  /** What the batch lies in, where it is to be given back. */
  readonly memory: ArrayBuffer | undefined
  ready: boolean
  readonly done: PromiseWithResolvers<number>
  since: number
  sent: boolean
  /** It went out while those before it were under way. */
  follows: boolean
}

interface Queue {
  readonly topic: string
  readonly partition: number
  /** Not acknowledged, in order. */
  readonly items: Item[]
  sequence: number
  inFlight: number
  /** A batch failed: those behind it come back first, then all are sent again in order. */
  broken: boolean
  /** The leader knows this producer: a batch was taken. */
  known: boolean
  /** How often in a row. */
  refused: number
  /** After a failure it is tried again a moment later, once: each try of several queues that fails would else bring one for each. */
  resting: boolean
}

/** The broker remembers so many batches of a producer and partition. */
const mostInFlight = 5
const mostRequests = 8
const requestBytes = 4 << 20
/**
 * Leaders of 3.6 that become it between their look at the transaction and the write say that there is none (of topics that were made
 * some ms ago). For so long a batch that is their first of this producer is sent again, ms; where it is true it stays true.
 */
const newLeaderFor = 1000
/** A batch that is not taken within this time is given up. */
const deliveryTimeout = 120_000

/** Sends batches to the leaders of their partitions: several requests under way, each batch once, in order. */
export class Sender {
  readonly #cluster: KafkaCluster
  readonly #transactionalId: string | null
  readonly #queues = new Map<string, Queue>()
  readonly #requests = new Map<number, number>()
  #producerId = -1
  #epoch = -1
  #produceApi: typeof produce
  #generation = 0
  #failure: unknown
  /** Whose memory is used again. */
  readonly #writers: Writer[] = []
  readonly #spare: SpareMemory
  #pumping = false
  #idle: PromiseWithResolvers<void> | undefined

  /** @param spare takes the memory of batches that the broker has */
  constructor(cluster: KafkaCluster, transactionalId: string | null, spare: SpareMemory, api: typeof produce) {
    this.#cluster = cluster
    this.#produceApi = api
    this.#spare = spare
    this.#transactionalId = transactionalId
  }

  /** Nothing may be under way. In another epoch sequence numbers begin anew. */
  begin(producerId: number, epoch: number, api: typeof produce): void {
    const same = producerId === this.#producerId
    if (!same || epoch !== this.#epoch) {
      for (const queue of this.#queues.values()) {
        queue.sequence = 0
        // A leader that knows an older epoch wants the new one to begin with 0, and takes nothing else as its first.
        queue.known &&= same
      }
    }
    // what was dropped may have failed since
    this.#failure = undefined
    this.#producerId = producerId
    this.#epoch = epoch
    this.#produceApi = api
  }

  /** Forgets all batches and sequence numbers; answers that are under way meet nobody. */
  reset(): void {
    this.#generation++
    this.#queues.clear()
    this.#requests.clear()
    this.#failure = undefined
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /**
   * @param memory what the batch lies in, and nothing else does; undefined: it is not given back
   * @param ready before it the batch is not sent
   * @returns the batch's first offset
   */
  send(
    topic: string,
    partition: number,
    batch: Buffer,
    memory: ArrayBuffer | undefined,
    ready: Promise<void> | undefined,
  ): Promise<number> {
    const done = Promise.withResolvers<number>()
    // Who does not wait for each batch waits for all: `flush`.
    done.promise.catch(() => {})
    if (this.#failure !== undefined) {
      done.reject(this.#failure)
      return done.promise
    }
    const queue = this.#queueOf(topic, partition)
    setProducer(batch, this.#producerId, this.#epoch, queue.sequence)
    // Sequence numbers begin anew after 2^31 - 1.
    queue.sequence = (queue.sequence + batchCount(batch)) % 2 ** 31
    const item: Item = {
      batch,
      memory,
      ready: ready === undefined,
      done,
      since: performance.now(),
      sent: false,
      follows: false,
    }
    queue.items.push(item)
    if (ready === undefined) this.#pump()
    else {
      ready.then(
        () => {
          item.ready = true
          this.#pump()
        },
        (error) => this.#fail(error),
      )
    }
    return done.promise
  }

  /** @throws what made a batch fail */
  async flush(): Promise<void> {
    if (this.#failure === undefined && this.#waiting()) {
      this.#idle ??= Promise.withResolvers()
      await this.#idle.promise
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /**
   * Sends nothing more, and waits for what is under way.
   * @returns whether sequence numbers may go on: every batch was acknowledged
   */
  async drop(): Promise<boolean> {
    const generation = this.#generation
    const clean = this.#failure === undefined && !this.#waiting()
    if (!clean) this.#fail(new DhaaraError('DHAARA_APP_STATE', 'The transaction was aborted'))
    while (this.#generation === generation && [...this.#queues.values()].some(({ inFlight }) => inFlight > 0))
      await delay(2)
    this.#failure = undefined
    return clean
  }

  #queueOf(topic: string, partition: number): Queue {
    const key = `${partition}/${topic}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = {
        topic,
        partition,
        items: [],
        sequence: 0,
        inFlight: 0,
        broken: false,
        known: false,
        refused: 0,
        resting: false,
      }
      this.#queues.set(key, queue)
    }
    return queue
  }

  #waiting(): boolean {
    for (const { items } of this.#queues.values()) if (items.length > 0) return true
    return false
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const queue of this.#queues.values()) {
      for (const item of queue.items) item.done.reject(this.#failure)
      queue.items.length = 0
    }
    this.#idle?.resolve()
    this.#idle = undefined
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    queueMicrotask(() => {
      this.#pumping = false
      void this.#round(this.#generation)
    })
  }

  /** Requests with one batch of each partition, as long as there is something to send and somebody to send it to. */
  async #round(generation: number): Promise<void> {
    for (;;) {
      const requests = new Map<number, { queue: Queue; item: Item }[]>()
      const bytes = new Map<number, number>()
      for (const queue of this.#queues.values()) {
        if (queue.resting || (queue.broken && queue.inFlight > 0)) continue
        queue.broken = false
        // A leader that does not know a producer takes any sequence number as its first.
        if (queue.inFlight >= (queue.known ? mostInFlight : 1)) continue
        const item = queue.items.find(({ sent }) => !sent)
        if (item === undefined || !item.ready) continue
        let leader: number
        try {
          leader = (await this.#cluster.leader(queue.topic, queue.partition)).leader
        } catch (error) {
          this.#again(queue, item, error)
          continue
        }
        if (generation !== this.#generation) return
        // While this waited, another round may have sent it.
        if (item.sent || queue.broken || queue.resting || !queue.items.includes(item)) continue
        if ((this.#requests.get(leader) ?? 0) >= mostRequests) continue
        const size = bytes.get(leader) ?? 0
        if (size > 0 && size + item.batch.length > requestBytes) continue
        bytes.set(leader, size + item.batch.length)
        item.sent = true
        item.follows = queue.inFlight > 0
        queue.inFlight++
        const list = requests.get(leader)
        if (list === undefined) requests.set(leader, [{ queue, item }])
        else list.push({ queue, item })
      }
      if (requests.size === 0) return
      for (const [node, batches] of requests) void this.#produce(node, batches, generation)
    }
  }

  async #produce(node: number, batches: readonly { queue: Queue; item: Item }[], generation: number): Promise<void> {
    this.#requests.set(node, (this.#requests.get(node) ?? 0) + 1)
    const topics = Array.from(
      Map.groupBy(batches, ({ queue }) => queue.topic),
      ([name, list]) => ({
        name,
        partitions: list.map(({ queue, item }) => ({ partition: queue.partition, records: item.batch })),
      }),
    )
    const request = { transactionalId: this.#transactionalId, acks: -1, timeoutMs: 25_000, topics }
    const to = this.#writers.pop()?.reset() ?? new Writer(roomOf(batches))
    try {
      const answer = await this.#cluster.request(this.#produceApi, request, node, 'produce', to)
      if (this.#writers.length < mostRequests) this.#writers.push(to)
      if (generation !== this.#generation) return
      for (const { queue, item } of batches) {
        queue.inFlight--
        const found = answer.topics
          .find(({ name }) => name === queue.topic)
          ?.partitions.find(({ partition }) => partition === queue.partition)
        this.#answered(queue, item, found?.error ?? kafkaError.unknown, found?.base ?? -1, found?.message ?? null)
      }
    } catch (error) {
      if (generation !== this.#generation) return
      for (const { queue, item } of batches) {
        queue.inFlight--
        this.#again(queue, item, error)
      }
    }
    this.#requests.set(node, (this.#requests.get(node) ?? 1) - 1)
    this.#pump()
  }

  #answered(queue: Queue, item: Item, error: number, base: number, message: string | null): void {
    if (error === 0 || error === kafkaError.duplicateSequence) {
      queue.known = true
      queue.refused = 0
      const at = queue.items.indexOf(item)
      if (at >= 0) queue.items.splice(at, 1)
      // each request has its own copy
      if (at >= 0 && item.memory !== undefined) this.#spare.give(item.memory)
      item.done.resolve(base)
      if (this.#idle !== undefined && !this.#waiting()) {
        this.#idle.resolve()
        this.#idle = undefined
      }
      return
    }
    // Behind a batch that was not taken, this is no more than its consequence.
    const what = `Writing to topic '${queue.topic}', partition ${queue.partition}${message === null ? '' : ` (${message})`}`
    const early = error === kafkaError.invalidTxnState && !queue.known && performance.now() - item.since < newLeaderFor
    if (early || (error === kafkaError.outOfOrderSequence && item.follows))
      this.#again(queue, item, new KafkaAnswer(kafkaError.notLeader, what))
    else this.#again(queue, item, new KafkaAnswer(error, what))
  }

  #again(queue: Queue, item: Item, error: unknown): void {
    const patience = isAnswer(error, 'unknownTopic') ? unknownFor : deliveryTimeout
    if (!mayRetry(error) || performance.now() - item.since > patience) {
      this.#fail(error)
      return
    }
    // it leads, and is about to be ready: with the end of the transaction before, or with what it asks its coordinator
    const soon = isAnswer(error, 'concurrentTransactions', 'notEnoughReplicas')
    if (!soon) this.#cluster.forget(queue.topic)
    queue.broken = true
    for (const other of queue.items) other.sent = false
    if (queue.resting) return
    queue.resting = true
    const generation = this.#generation
    void delay(soon ? Math.min(50, 5 * 2 ** queue.refused++) : 50).then(() => {
      queue.resting = false
      if (generation === this.#generation) this.#pump()
    })
  }
}

function roomOf(batches: readonly { readonly item: Item }[]): number {
  let room = 1024
  for (const { item } of batches) room += item.batch.length + 64
  return room
}
