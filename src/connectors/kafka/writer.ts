import { DhaaraError } from '../../errors/index.ts'
import { columnBytes, frameCount, readFrames } from '../broker/frame.ts'
import { SpareMemory } from '../broker/spare-memory.ts'
import type {
  Membership,
  PositionedPartition,
  RemoteRows,
  RemoteWriter,
  SentFrame,
  TopicPartition,
  WriterOptions,
} from '../broker/remote.ts'
import type { KafkaCluster } from './cluster.ts'
import { retrying } from './retry.ts'
import { Sender } from './sender.ts'
import { type TransactionVersion, transactionVersionOf } from './transaction-version.ts'
import * as apis from './wire/apis.ts'
import { check, isAnswer, KafkaAnswer, kafkaError, mayRetry, unknownFor } from './wire/errors.ts'
import { batchEnd, encodeBatch } from './wire/record-batch.ts'
import type { Api } from './wire/schema.ts'

/** Below the broker's default limit of 1 MiB, and large enough that its costs do not count. */
const batchBytes = 512 * 1024
const block = 64 << 10
const mostIdle = 16 << 20

/**
 * Writes rows as batches with sequence numbers, so that each is there once however often it is sent; with a transactional id,
 * in transactions.
 *
 *     init ─▶ (open? ─▶ send … send ─▶ commit | abort) ─▶ …
 *
 * The requests of a commit overlap: AddPartitionsToTxn ─▶ Produce, beside AddOffsetsToTxn ─▶ TxnOffsetCommit; EndTxn last. Where
 * `open` was right about what comes, AddPartitionsToTxn and AddOffsetsToTxn are over before.
 *
 * In version 2 of transactions, too, the coordinator is told of partitions before they are written to, by one request. Leaders would
 * do so themselves; but of several at once it refuses all but one, and they try again 20 ms later.
 */
export class KafkaWriter implements RemoteWriter {
  readonly #cluster: KafkaCluster
  readonly #options: WriterOptions
  readonly #sender: Sender
  /** For columns and batches. */
  readonly #spare = new SpareMemory(block, mostIdle)
  #producerId = -1
  #epoch = -1
  /** Of the running transaction. */
  #version: TransactionVersion
  /** Topic partitions of the running transaction: told to the coordinator, or about to be. */
  #added = new Set<string>()
  #adding: Promise<void> = Promise.resolve()
  #toAdd: TopicPartition[] = []
  #addingOffsets: Promise<void> | undefined
  /** Those that were written to; and in the transaction before. */
  #used = new Map<string, TopicPartition>()
  #last: ReadonlyMap<string, TopicPartition> = new Map()

  constructor(cluster: KafkaCluster, options: WriterOptions = {}) {
    this.#cluster = cluster
    this.#options = options
    this.#version = transactionVersionOf(cluster.transactionVersion)
    this.#sender = new Sender(cluster, options.transactionalId ?? null, this.#spare, this.#version.produce)
  }

  async init(): Promise<void> {
    const { transactionalId = null, transactionTimeoutMs = 60_000 } = this.#options
    this.#clear()
    this.#last = new Map()
    this.#sender.reset()
    const request = { transactionalId, timeoutMs: transactionTimeoutMs, producerId: -1, epoch: -1 }
    const ask = async () => {
      const answer =
        transactionalId === null
          ? await this.#cluster.request(apis.initProducerId, request, undefined)
          : await this.#cluster.toCoordinator('transaction', transactionalId, apis.initProducerId, request)
      check(answer.error, `Beginning to write as '${transactionalId ?? 'an idempotent producer'}'`)
      return answer
    }
    const { producerId, epoch } = await this.#retrying(ask)
    this.#begin(producerId, epoch)
  }

  open(group: string | undefined): void {
    if (this.#options.transactionalId === undefined) return
    for (const { topic, partition } of this.#last.values()) this.#add(topic, partition, true)
    // without what moves positions there is nothing to be early for
    if (group !== undefined && this.#last.size > 0) this.#addOffsets(group).catch(() => {})
  }

  async send(topic: string, partition: number, rows: RemoteRows): Promise<number> {
    if (this.#producerId < 0) throw new DhaaraError('DHAARA_APP_STATE', 'This writer has not begun; call init() first')
    const writing = {
      transactional: this.#options.transactionalId !== undefined,
      codec: this.#options.compression ?? 'none',
    } as const
    const added = this.#add(topic, partition)
    if (added !== undefined) this.#used.set(nameOf(topic, partition), { topic, partition })
    let first: Promise<number> | undefined
    const all: Promise<number>[] = []
    for (let from = 0; from < rows.count; ) {
      const to = batchEnd(rows, from, batchBytes)
      const batch = encodeBatch(rows, from, to, writing, this.#spare)
      const memory = writing.codec === 'none' ? (batch.buffer as ArrayBuffer) : undefined
      const sent = this.#sender.send(topic, partition, batch, memory, added)
      first ??= sent
      all.push(sent)
      from = to
    }
    await Promise.all(all)
    return first === undefined ? -1 : first
  }

  async sendFrame(topic: string, partition: number, frame: Buffer<ArrayBuffer>): Promise<SentFrame> {
    const memory = this.#spare.take(frameCount(frame) * columnBytes)
    const rows = readFrames(topic, partition, [frame], Number.NEGATIVE_INFINITY, memory)
    if (rows === undefined) throw new DhaaraError('DHAARA_INTERNAL', `an empty frame for '${topic}'`)
    // encoded when it returns
    const sent = this.send(topic, partition, rows)
    this.#spare.give(memory)
    return { first: await sent, memory: frame.buffer }
  }

  flush(): Promise<void> {
    return this.#sender.flush()
  }

  async commit(positions: readonly PositionedPartition[], membership: Membership | undefined): Promise<void> {
    const { transactionalId } = this.#options
    if (transactionalId === undefined) {
      await this.flush()
      return
    }
    const offsets =
      positions.length === 0 || membership === undefined ? undefined : this.#commitOffsets(positions, membership)
    // All are awaited: neither after a failure nor behind the end may anything still be on its way.
    const parts = await Promise.allSettled([this.flush(), offsets, this.#adding, this.#addingOffsets])
    for (const part of parts) if (part.status === 'rejected') throw part.reason
    await this.#end(true)
  }

  async abort(): Promise<void> {
    const clean = await this.#sender.drop()
    await Promise.allSettled([this.#adding, this.#addingOffsets])
    const { bumps } = this.#version
    let whole = false
    if (clean || bumps) {
      try {
        whole = (await this.#end(false)) || clean
      } catch (error) {
        // It was aborted already, and not by this writer: it was open for too long.
        if (!bumps || mayRetry(error)) throw error
      }
    }
    // Aborts what is open, too. A new epoch is needed: sequence numbers have a gap, and what is under way may arrive later.
    if (!whole) await this.init()
  }

  async close(): Promise<void> {
    await this.#sender.drop()
  }

  #begin(producerId: number, epoch: number): void {
    this.#producerId = producerId
    this.#epoch = epoch
    this.#version = transactionVersionOf(this.#cluster.transactionVersion)
    this.#sender.begin(producerId, epoch, this.#version.produce)
  }

  /** Partitions of one tick are told together. @param early nothing has been sent there yet, and perhaps nothing will be */
  #add(topic: string, partition: number, early = false): Promise<void> | undefined {
    if (this.#options.transactionalId === undefined) return undefined
    const name = nameOf(topic, partition)
    if (this.#added.has(name)) return this.#adding
    this.#added.add(name)
    this.#toAdd.push({ topic, partition })
    if (this.#toAdd.length === 1) {
      const before = this.#adding
      this.#adding = Promise.resolve().then(async () => {
        await before
        const toAdd = this.#toAdd
        this.#toAdd = []
        await this.#tellPartitions(toAdd, early)
      })
      this.#adding.catch(() => {})
    }
    return this.#adding
  }

  async #tellPartitions(partitions: readonly TopicPartition[], early: boolean): Promise<void> {
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
    const topics = Array.from(byTopic, ([name, list]) => ({ name, partitions: list.map((p) => p.partition) }))
    const began = performance.now()
    await this.#ask(apis.addPartitionsToTxn, { ...this.#identity(), topics }, ({ topics: answers }) => {
      // Beside one that failed, the others say that nothing was tried.
      for (const { name, partitions: list } of answers) {
        for (const { partition, error } of list) {
          if (error === 0 || error === operationNotAttempted) continue
          // A topic may be gone that nobody will write to: without it, then.
          const number = early && error === kafkaError.unknownTopic ? kafkaError.transactionAbortable : error
          const refused = new KafkaAnswer(number, `Topic '${name}', partition ${partition}`)
          if (error !== kafkaError.unknownTopic || early || performance.now() - began < unknownFor) throw refused
          throw new DhaaraError('DHAARA_TOPIC_UNKNOWN', refused.message, { cause: refused })
        }
      }
    })
  }

  /** Behind those of partitions: of two such requests at once the coordinator refuses one. */
  #addOffsets(group: string): Promise<void> {
    this.#addingOffsets ??= this.#adding.then(() =>
      this.#ask(apis.addOffsetsToTxn, { ...this.#identity(), group }, ({ error }) =>
        check(error, `Adding the positions of group '${group}'`),
      ),
    )
    return this.#addingOffsets
  }

  async #commitOffsets(positions: readonly PositionedPartition[], membership: Membership): Promise<void> {
    const { group, generation, member, instance } = membership
    await this.#addOffsets(group)
    const request = { ...this.#identity(), group, generation, member, instance, topics: offsetsByTopic(positions) }
    await retrying(
      async () => {
        const { topics } = await this.#cluster.toCoordinator('group', group, this.#version.txnOffsetCommit, request)
        for (const { name, partitions } of topics)
          for (const { partition, error } of partitions)
            check(error, `Positions of group '${group}' in '${name}', partition ${partition}`)
      },
      {
        pauseMs: shortPause,
        before: (error) => {
          if (!isAnswer(error, 'concurrentTransactions', 'coordinatorLoading'))
            this.#cluster.forgetCoordinator('group', group)
        },
      },
    )
  }

  /** @returns whether there is a new epoch */
  async #end(commit: boolean): Promise<boolean> {
    let bumped = false
    if (this.#added.size > 0 || this.#addingOffsets !== undefined) {
      await this.#ask(this.#version.endTxn, { ...this.#identity(), commit }, ({ error, producerId, nextEpoch }) => {
        check(error, commit ? 'Committing the transaction' : 'Aborting the transaction')
        // Sent again, it is answered as it was the first time. Older versions keep the epoch.
        if (producerId >= 0) {
          bumped = true
          this.#producerId = producerId
          this.#epoch = nextEpoch
        }
      })
    }
    this.#clear()
    this.#begin(this.#producerId, this.#epoch)
    return bumped
  }

  #clear(): void {
    this.#added = new Set()
    this.#toAdd = []
    this.#adding = Promise.resolve()
    this.#addingOffsets = undefined
    this.#last = this.#used
    this.#used = new Map()
  }

  #identity() {
    return {
      transactionalId: this.#options.transactionalId as string,
      producerId: this.#producerId,
      epoch: this.#epoch,
    }
  }

  #ask<Req, Res>(api: Api<Req, Res>, request: Req, judge: (answer: Res) => void): Promise<void> {
    const id = this.#options.transactionalId as string
    return this.#retrying(async () => judge(await this.#cluster.toCoordinator('transaction', id, api, request)))
  }

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const id = this.#options.transactionalId
    return retrying(attempt, {
      pauseMs: shortPause,
      before: (error) => {
        if (id !== undefined && !isAnswer(error, 'concurrentTransactions'))
          this.#cluster.forgetCoordinator('transaction', id)
      },
    })
  }
}

const operationNotAttempted = 55
/** The last transaction's end is being written: a matter of a few ms. */
const shortPause = 3

const nameOf = (topic: string, partition: number): string => `${partition}/${topic}`

export function offsetsByTopic(positions: readonly PositionedPartition[]) {
  return Array.from(
    Map.groupBy(positions, ({ topic }) => topic),
    ([name, list]) => ({
      name,
      partitions: list.map(({ partition, offset }) => ({ partition, offset, leaderEpoch: -1, metadata: null })),
    }),
  )
}
