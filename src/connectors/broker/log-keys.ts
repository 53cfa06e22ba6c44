/**
 * Where the log lies in the database: under the byte 1, then
 *
 *     0  name                                      topic: {id, partitions, config} as JSON
 *     1  topic id (4)  partition (4)  offset (8)   the frame whose last record has that offset
 *     2  topic id (4)  partition (4)  group        where the group goes on, float64
 *     3  topic id (4)  partition (4)               start, end, total bytes, clean offset, clean bytes: float64 each
 *     4                                            the next topic's id, as JSON
 *
 * Numbers are big-endian. A frame has its *last* offset as its key, so that the first row at or after (partition, o) is the
 * one that holds o.
 */
import type { TopicConfig } from './log.ts'

const logByte = 1

export interface TopicRow {
  readonly name: string
  readonly id: number
  readonly partitions: number
  readonly config: TopicConfig
}

const partitionKeyBytes = 10

export const topicKey = (name: string): Buffer => Buffer.concat([Buffer.from([logByte, 0]), Buffer.from(name)])
export const topicsRange = { gte: Buffer.from([logByte, 0]), lt: Buffer.from([logByte, 1]) }
export const nextIdKey = Buffer.from([logByte, 4])

export function readTopicRow(name: string, value: Uint8Array): TopicRow {
  return { name, ...JSON.parse(Buffer.from(value).toString()) }
}

export function frameKey(topicId: number, partition: number, lastOffset: number): Buffer {
  const key = Buffer.allocUnsafe(partitionKeyBytes + 8)
  prefix(key, 1, topicId, partition)
  key.writeUInt32BE(Math.floor(lastOffset / 2 ** 32), 10)
  key.writeUInt32BE(lastOffset % 2 ** 32, 14)
  return key
}

/** After every frame of the partition. */
export const framesEnd = (topicId: number, partition: number): Buffer => partitionKey(1, topicId, partition + 1)
export const framesStart = (topicId: number, partition: number): Buffer => partitionKey(1, topicId, partition)

/** The offset in the key of a frame. */
export const frameKeyOffset = (key: Uint8Array): number => {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return view.getUint32(10) * 2 ** 32 + view.getUint32(14)
}

export const groupKey = (group: string, topicId: number, partition: number): Buffer =>
  Buffer.concat([partitionKey(2, topicId, partition), Buffer.from(group)])
export const partitionStateKey = (topicId: number, partition: number): Buffer => partitionKey(3, topicId, partition)

/** All rows of one kind of a topic. */
export const topicRange = (kind: 1 | 2 | 3, topicId: number): { gte: Buffer; lt: Buffer } => ({
  gte: partitionKey(kind, topicId, 0),
  lt: partitionKey(kind, topicId + 1, 0),
})

function partitionKey(kind: number, topicId: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(partitionKeyBytes)
  prefix(key, kind, topicId, partition)
  return key
}

function prefix(key: Buffer, kind: number, topicId: number, partition: number): void {
  key[0] = logByte
  key[1] = kind
  key.writeUInt32BE(topicId, 2)
  key.writeUInt32BE(partition, 6)
}
