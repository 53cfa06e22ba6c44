import { crc32c } from '@node-rs/crc32'
import type { FetchedBatch } from '../../broker/log.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { at, attribute, batchHead } from './batch-layout.ts'
import { decompress } from './compression.ts'
import { type Columns, columnBytes, newColumns, readRecords } from './records.ts'
import { readLong } from './writer.ts'

/** A transaction that was aborted: its producer, and the offset of its first record. */
export interface Aborted {
  readonly producerId: number
  readonly first: number
}

/** What a broker answered for one partition. */
export interface RecordSet {
  readonly topic: string
  readonly partition: number
  /** Where was asked for. The first batch may begin before it. */
  readonly offset: number
  readonly bytes: Buffer
  /** Transactions of which there may be records in `bytes`; undefined: everything is read, committed or not. */
  readonly aborted?: readonly Aborted[] | undefined
  /** Memory of so many bytes at least, for the columns; default: new. */
  readonly memory?: (bytes: number) => ArrayBufferLike
}

interface Part {
  readonly data: Buffer
  readonly from: number
  readonly to: number
  readonly base: number
  readonly count: number
  readonly attributes: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
}

/**
 * Decodes the batches of an answer; the last one may have been cut off, and is left for the next fetch. `count` is 0 where
 * all of it was skipped: read on at `nextOffset`. Without compression the columns point into `bytes`.
 *
 * Records of aborted transactions are found as Kafka's own consumer does: a producer is aborted from its transaction's first
 * offset to the control batch that ends it.
 *
 * @returns undefined if there is no whole batch
 * @throws DhaaraError DHAARA_KAFKA_CORRUPT naming topic, partition and offset
 */
export function readRecordSet(set: RecordSet): FetchedBatch | undefined {
  const { topic, partition, offset, bytes } = set
  const { parts, nextOffset } = partsOf(set)
  if (nextOffset === offset && parts.length === 0) return undefined
  let count = 0
  for (const part of parts) count += part.count
  const columns = newColumns(count, set.memory?.(count * columnBytes))
  const inPlace = parts.every((part) => part.data === bytes)
  const data = inPlace ? bytes : parts.length === 1 ? (parts[0] as Part).data : joined(parts)
  let shift = 0
  try {
    for (const part of parts) {
      // Once joined, each part begins where the one before ends.
      const from = inPlace || parts.length === 1 ? part.from : shift
      readRecords(data, from, from + (part.to - part.from), part, offset, columns)
      shift += part.to - part.from
    }
  } catch (error) {
    throw corrupt(set, offset, error instanceof Error ? error.message : String(error))
  }
  return batchOf(topic, partition, data, columns, nextOffset)
}

function partsOf(set: RecordSet): { parts: Part[]; nextOffset: number } {
  const { bytes, offset } = set
  const parts: Part[] = []
  const pending = set.aborted === undefined ? undefined : [...set.aborted].sort((a, b) => a.first - b.first)
  const abortedNow = new Set<number>()
  let nextAborted = 0
  let nextOffset = offset
  for (let from = 0; from + batchHead <= bytes.length; ) {
    const to = from + 12 + bytes.readInt32BE(from + at.length)
    if (to > bytes.length) break
    const base = readLong(bytes, from)
    const magic = bytes[from + at.magic]
    if (magic !== 2 || to < from + batchHead)
      throw corrupt(set, base, `found a batch of magic ${magic} and ${to - from} bytes; expected magic 2`)
    const sum = bytes.readUInt32BE(from + at.crc)
    const own = crc32c(bytes.subarray(from + at.attributes, to))
    if (own !== sum)
      throw corrupt(set, base, `a batch has the checksum ${sum.toString(16)}; its bytes give ${own.toString(16)}`)
    const attributes = bytes.readInt16BE(from + at.attributes)
    const last = base + bytes.readInt32BE(from + at.lastDelta)
    const producerId = readLong(bytes, from + at.producerId)
    let skip = last < offset
    if (pending !== undefined) {
      for (; nextAborted < pending.length; nextAborted++) {
        const aborted = pending[nextAborted] as Aborted
        if (aborted.first > last) break
        abortedNow.add(aborted.producerId)
      }
      if ((attributes & attribute.transactional) !== 0 && abortedNow.has(producerId)) skip = true
    }
    if ((attributes & attribute.control) !== 0) {
      if (isAbort(bytes, from, to)) abortedNow.delete(producerId)
      skip = true
    }
    if (!skip) {
      const codec = attributes & attribute.codec
      const body = codec === 0 ? undefined : decompressed(set, base, codec, bytes.subarray(from + batchHead, to))
      parts.push({
        data: body ?? bytes,
        from: body === undefined ? from + batchHead : 0,
        to: body === undefined ? to : body.length,
        base,
        count: bytes.readInt32BE(from + at.count),
        attributes,
        baseTimestamp: readLong(bytes, from + at.baseTimestamp),
        maxTimestamp: readLong(bytes, from + at.maxTimestamp),
      })
    }
    if (last >= nextOffset) nextOffset = last + 1
    from = to
  }
  return { parts, nextOffset }
}

/** The key of a control record: version int16, then 0 for abort, 1 for commit, int16. */
function isAbort(bytes: Buffer, from: number, to: number): boolean {
  const columns = newColumns(1)
  const head = { base: 0, count: 1, attributes: 0, baseTimestamp: 0, maxTimestamp: 0 }
  readRecords(bytes, from + batchHead, to, head, 0, columns)
  const key = columns.keyStart[0] as number
  return key >= 0 && bytes.readInt16BE(key + 2) === 0
}

function decompressed(set: RecordSet, base: number, codec: number, bytes: Buffer): Buffer {
  try {
    return decompress(codec, bytes)
  } catch (error) {
    throw corrupt(set, base, (error as Error).message)
  }
}

const joined = (parts: readonly Part[]): Buffer =>
  Buffer.concat(parts.map(({ data, from, to }) => data.subarray(from, to)))

function batchOf(topic: string, partition: number, data: Buffer, columns: Columns, nextOffset: number): FetchedBatch {
  const { count } = columns
  const whole = count === columns.timestamps.length
  const cut = <T extends { subarray(from: number, to: number): T }>(column: T): T =>
    whole ? column : column.subarray(0, count)
  const batch = {
    topic,
    partition,
    count,
    data,
    keyStart: cut(columns.keyStart),
    keyEnd: cut(columns.keyEnd),
    valueStart: cut(columns.valueStart),
    valueEnd: cut(columns.valueEnd),
    timestamps: cut(columns.timestamps),
    offsets: cut(columns.offsets),
    nextOffset,
  }
  return columns.headers === undefined ? batch : { ...batch, headers: columns.headers }
}

function corrupt({ topic, partition }: RecordSet, offset: number, what: string): DhaaraError {
  return new DhaaraError(
    'DHAARA_KAFKA_CORRUPT',
    `Topic '${topic}', partition ${partition}, offset ${offset}: ${what}. Look at the broker's disk, or read on after it`,
  )
}

/** Where to read on after the whole batches of an answer, told by their heads alone; `offset` if there is none. */
export function endOfSet(bytes: Buffer, offset: number): number {
  let next = offset
  for (let from = 0; from + batchHead <= bytes.length; ) {
    const to = from + 12 + bytes.readInt32BE(from + at.length)
    if (to > bytes.length || to < from + batchHead) break
    next = Math.max(next, readLong(bytes, from) + bytes.readInt32BE(from + at.lastDelta) + 1)
    from = to
  }
  return next
}
