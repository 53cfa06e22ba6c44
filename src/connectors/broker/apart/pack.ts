import type { FetchedBatch } from '../log.ts'
import type { SentBatch } from './messages.ts'

/** Columns of a record: two of 8 bytes, four of 4. */
const columnBytes = 32

/**
 * A run in memory that can be handed to another thread: columns and data in one piece. Data that has memory of its own already
 * (it was unpacked) goes as it is.
 * @param room memory of so many bytes at least
 */
export function pack(
  batch: FetchedBatch,
  room: (bytes: number) => ArrayBuffer,
): { sent: SentBatch; memory: ArrayBuffer[] } {
  const { count, data, headers, nextOffset } = batch
  const own = data.byteLength === data.buffer.byteLength
  const memory = room(count * columnBytes + (own ? 0 : data.length))
  const timestamps = new Float64Array(memory, 0, count)
  const offsets = new Float64Array(memory, count * 8, count)
  const [keyStart, keyEnd, valueStart, valueEnd] = [16, 20, 24, 28].map(
    (at) => new Int32Array(memory, count * at, count),
  )
  timestamps.set(batch.timestamps)
  offsets.set(batch.offsets)
  keyStart!.set(batch.keyStart)
  keyEnd!.set(batch.keyEnd)
  valueStart!.set(batch.valueStart)
  valueEnd!.set(batch.valueEnd)
  const bytes = own ? data : new Uint8Array(memory, count * columnBytes, data.length)
  if (!own) bytes.set(data)
  const sent: SentBatch = {
    count,
    data: bytes,
    keyStart: keyStart!,
    keyEnd: keyEnd!,
    valueStart: valueStart!,
    valueEnd: valueEnd!,
    timestamps,
    offsets,
    nextOffset,
    // a copy each: to clone a view is to clone all of the memory behind it
    ...(headers === undefined
      ? {}
      : { headers: headers.map((one) => one?.map(([name, value]) => [name, new Uint8Array(value)] as const)) }),
  }
  return { sent, memory: own ? [memory, data.buffer as ArrayBuffer] : [memory] }
}
