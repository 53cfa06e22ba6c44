import { DhaaraError } from '../../errors/index.ts'
import { columnBytes, frameCount, readFrames } from '../broker/frame.ts'
import { SpareMemory } from '../broker/spare-memory.ts'
import type {
  Membership,
  PositionedPartition,
  RemoteRows,
  RemoteWriter,
  SentFrame,
  WriterOptions,
} from '../broker/remote.ts'
import type { KafkaCluster } from './cluster.ts'
import { retrying } from './retry.ts'
import { Sender } from './sender.ts'
import * as apis from './wire/apis.ts'
import { check, isAnswer } from './wire/errors.ts'
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
 *     init ─▶ (send … send ─▶ commit | abort) ─▶ …
 *
 * The requests of a commit overlap: AddPartitionsToTxn ─▶ Produce, beside AddOffsetsToTxn ─▶ TxnOffsetCommit; EndTxn last.
 */
export class KafkaWriter implements RemoteWriter {
  readonly #cluster: KafkaCluster
  readonly #options: WriterOptions
  readonly #sender: Sender
  /** For columns and batches. */
  readonly #spare = new SpareMemory(block, mostIdle)
  #producerId = -1
  #epoch = -1
  /** Topic partitions of the running transaction: told to the coordinator, or about to be. */
  #added = new Set<string>()
  #adding: Promise<void> = Promise.resolve()
  #toAdd: { topic: string; partition: number }[] = []
  #offsetsAdded = false

  constructor(cluster: KafkaCluster, options: WriterOptions = {}) {
    this.#cluster = cluster
    this.#options = options
    this.#sender = new Sender(cluster, options.transactionalId ?? null, this.#spare)
  }

  async init(): Promise<void> {
    const { transactionalId = null, transactionTimeoutMs = 60_000 } = this.#options
    this.#clear()
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
    this.#producerId = producerId
    this.#epoch = epoch
    this.#sender.begin(producerId, epoch)
  }

  async send(topic: string, partition: number, rows: RemoteRows): Promise<number> {
    if (this.#producerId < 0) throw new DhaaraError('DHAARA_APP_STATE', 'This writer has not begun; call init() first')
    const writing = {
      transactional: this.#options.transactionalId !== undefined,
      codec: this.#options.compression ?? 'none',
    } as const
    const added = this.#add(topic, partition)
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
    // Both are awaited: after a failure nothing may still be on its way.
    const [sent, committed] = await Promise.allSettled([this.flush(), offsets])
    if (sent.status === 'rejected') throw sent.reason
    if (committed.status === 'rejected') throw committed.reason
    await this.#end(true)
  }

  async abort(): Promise<void> {
    const clean = await this.#sender.drop()
    await this.#adding.catch(() => {})
    // Beginning anew aborts what is open, too.
    if (clean) await this.#end(false)
    else await this.init()
  }

  async close(): Promise<void> {
    await this.#sender.drop()
  }

  /** Partitions of one tick are told together. */
  #add(topic: string, partition: number): Promise<void> | undefined {
    if (this.#options.transactionalId === undefined) return undefined
    const key = `${partition}/${topic}`
    if (this.#added.has(key)) return this.#adding
    this.#added.add(key)
    this.#toAdd.push({ topic, partition })
    if (this.#toAdd.length === 1) {
      const before = this.#adding
      this.#adding = Promise.resolve().then(async () => {
        await before
        const toAdd = this.#toAdd
        this.#toAdd = []
        await this.#tellPartitions(toAdd)
      })
      this.#adding.catch(() => {})
    }
    return this.#adding
  }

  async #tellPartitions(partitions: readonly { topic: string; partition: number }[]): Promise<void> {
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
    const topics = Array.from(byTopic, ([name, list]) => ({ name, partitions: list.map((p) => p.partition) }))
    await this.#ask(apis.addPartitionsToTxn, { ...this.#identity(), topics }, ({ topics: answers }) => {
      // Beside one that failed, the others say that nothing was tried.
      for (const { name, partitions: list } of answers)
        for (const { partition, error } of list)
          if (error !== 0 && error !== operationNotAttempted) check(error, `Topic '${name}', partition ${partition}`)
    })
  }

  async #commitOffsets(positions: readonly PositionedPartition[], membership: Membership): Promise<void> {
    const { group, generation, member, instance } = membership
    if (!this.#offsetsAdded) {
      await this.#adding
      await this.#ask(apis.addOffsetsToTxn, { ...this.#identity(), group }, ({ error }) =>
        check(error, `Adding the positions of group '${group}'`),
      )
      this.#offsetsAdded = true
    }
    const request = { ...this.#identity(), group, generation, member, instance, topics: offsetsByTopic(positions) }
    await retrying(
      async () => {
        const { topics } = await this.#cluster.toCoordinator('group', group, apis.txnOffsetCommit, request)
        for (const { name, partitions } of topics)
          for (const { partition, error } of partitions)
            check(error, `Positions of group '${group}' in '${name}', partition ${partition}`)
      },
      { before: () => this.#cluster.forgetCoordinator('group', group) },
    )
  }

  async #end(commit: boolean): Promise<void> {
    const something = this.#added.size > 0 || this.#offsetsAdded
    if (something) {
      await this.#ask(apis.endTxn, { ...this.#identity(), commit }, ({ error }) =>
        check(error, commit ? 'Committing the transaction' : 'Aborting the transaction'),
      )
    }
    this.#clear()
  }

  #clear(): void {
    this.#added = new Set()
    this.#toAdd = []
    this.#adding = Promise.resolve()
    this.#offsetsAdded = false
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
      // The last transaction's end is being written: a matter of a few ms.
      pauseMs: 3,
      before: (error) => {
        if (id !== undefined && !isAnswer(error, 'concurrentTransactions'))
          this.#cluster.forgetCoordinator('transaction', id)
      },
    })
  }
}

const operationNotAttempted = 55

export function offsetsByTopic(positions: readonly PositionedPartition[]) {
  return Array.from(
    Map.groupBy(positions, ({ topic }) => topic),
    ([name, list]) => ({
      name,
      partitions: list.map(({ partition, offset }) => ({ partition, offset, leaderEpoch: -1, metadata: null })),
    }),
  )
}
