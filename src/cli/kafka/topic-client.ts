import { FrameBuilder, partitionOf } from '../../connectors/broker/index.ts'
import { readFrames } from '../../connectors/broker/frame.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import { type RemoteLog, remote } from '../../connectors/broker/remote.ts'
import {
  type ConsumeParams,
  connectDirectory,
  type DirectoryClient,
  type WireBatch,
  type WireRecord,
} from '../../connectors/embedded/index.ts'
import { kafkaBroker } from '../../connectors/kafka/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { existingDirectory } from '../arguments.ts'

/** Topics of a directory, or of a Kafka cluster. */
export type TopicClient = Pick<DirectoryClient, 'topics' | 'produce' | 'consume'> & AsyncDisposable

export interface Place {
  readonly dir?: string
  readonly brokers?: string
}

export const brokersFlag = [
  '--brokers <list>',
  'a Kafka cluster instead: host:port of some brokers, with commas',
] as const

export const brokerList = (text: string): string[] => text.split(',').map((one) => one.trim())

/** @param make the directory, if it is not there @throws DhaaraError DHAARA_OPTION: none of both was given, or both */
export async function connectTopics({ dir, brokers }: Place, make = false): Promise<TopicClient> {
  if ((dir === undefined) === (brokers === undefined)) {
    const found = dir === undefined ? 'neither --dir nor --brokers is' : 'both --dir and --brokers are'
    throw new DhaaraError('DHAARA_OPTION', `${found} given; say where the topics are, by one of them`)
  }
  if (dir !== undefined) return connectDirectory(make ? dir : existingDirectory(dir))
  const broker = kafkaBroker({ brokers: brokerList(brokers as string) })
  return new KafkaTopics(await broker[remote]())
}

class KafkaTopics implements TopicClient {
  readonly #log: RemoteLog

  constructor(log: RemoteLog) {
    this.#log = log
  }

  async topics() {
    const topics = await this.#log.topics()
    const where = topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    )
    const starts = await this.#log.offsets(where, 'earliest')
    const ends = await this.#log.offsets(where, 'latest')
    let at = 0
    return topics.map(({ name, partitions }) => {
      const first = at
      at += partitions
      const one = (_: unknown, p: number) => ({ start: starts[first + p] as number, end: ends[first + p] as number })
      return { name, partitions: Array.from({ length: partitions }, one) }
    })
  }

  async produce(topic: string, records: readonly WireRecord[]): Promise<void> {
    const partitions = await this.#partitionsOf(topic)
    const builders = Array.from({ length: partitions }, () => new FrameBuilder())
    for (const [i, { key, value, timestamp = Date.now(), headers, partition }] of records.entries()) {
      const to = partition ?? (key === null ? i % partitions : partitionOf(key, partitions))
      builders[to]?.add(key, value, timestamp, headers)
    }
    const writer = this.#log.writer()
    await writer.init()
    const sends = builders.flatMap((builder, partition) => {
      const rows =
        builder.count === 0 ? undefined : readFrames(topic, partition, [builder.finish()], Number.NEGATIVE_INFINITY)
      return rows === undefined ? [] : [writer.send(topic, partition, rows)]
    })
    await Promise.all(sends)
  }

  async *consume(params: ConsumeParams, signal?: AbortSignal): AsyncGenerator<WireBatch> {
    const { topic, from = 'beginning', follow = false } = params
    const count = await this.#partitionsOf(topic)
    const where = (params.partitions ?? Array.from({ length: count }, (_, p) => p)).map((partition) => ({
      topic,
      partition,
    }))
    const ends = await this.#log.offsets(where, 'latest')
    const starts = await this.#log.offsets(where, 'earliest')
    let wake = (): void => {}
    const reader = this.#log.reader({ onData: () => wake() })
    signal?.addEventListener('abort', () => wake())
    const cursors = where.map(({ partition }, i) => {
      const [start, end] = [starts[i] as number, ends[i] as number]
      return { partition, at: from === 'beginning' ? start : from === 'end' ? end : Math.max(start, from), end }
    })
    for (const { partition, at } of cursors) reader.add(topic, partition, at)
    while (!signal?.aborted && cursors.some(({ at, end }) => follow || at < end)) {
      const news = new Promise<void>((resolve) => (wake = resolve))
      let moved = false
      for (const cursor of cursors) {
        if (!follow && cursor.at >= cursor.end) continue
        const batch = reader.take(topic, cursor.partition, cursor.at)
        if (batch === undefined) continue
        moved = true
        cursor.at = batch.nextOffset
        if (batch.count > 0) yield wireOf(batch)
      }
      if (!moved) await news
    }
    await reader.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#log.release()
  }

  async #partitionsOf(topic: string): Promise<number> {
    const [found] = await this.#log.describe([topic])
    if (found !== undefined) return found.partitions
    throw new DhaaraError('DHAARA_TOPIC_UNKNOWN', `There is no topic '${topic}'. Create it, or correct the name`)
  }
}

function wireOf(batch: FetchedBatch): WireBatch {
  const { partition, count, data, keyStart, keyEnd, valueStart, valueEnd, timestamps, offsets, headers } = batch
  const parts = (start: Int32Array, end: Int32Array): (Uint8Array | null)[] =>
    Array.from({ length: count }, (_, i) => ((start[i] as number) < 0 ? null : data.subarray(start[i], end[i])))
  return {
    partition,
    offsets: Array.from(offsets),
    timestamps: Array.from(timestamps),
    keys: parts(keyStart, keyEnd),
    values: parts(valueStart, valueEnd),
    ...(headers === undefined ? {} : { headers }),
  }
}
