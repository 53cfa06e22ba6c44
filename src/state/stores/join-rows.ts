/**
 * A row of a join: up to 16 records of a group, in the order of arrival.
 *
 *     matched u8 | length u32 | value with its timestamp, as the value codec writes it | …
 */
import { timestampOf, type ValueCodec } from './codecs.ts'
import { CHUNK, type JoinGroup, Kept } from './join-group.ts'

let row = Buffer.allocUnsafe(4096)

/** Valid until the next call. */
export function encodeChunk(group: JoinGroup, chunk: number, values: ValueCodec): Buffer {
  const end = Math.min((chunk + 1) * CHUNK, group.arrived.length)
  let at = 0
  for (let i = chunk * CHUNK; i < end; i++) {
    const { ts, value, matched } = group.arrived[i] as Kept
    const bytes = values.view === undefined ? values.encode(value, ts) : values.view(value, ts)
    const next = at + 5 + bytes.length
    if (next > row.length) {
      const larger = Buffer.allocUnsafe(next * 2)
      larger.set(row.subarray(0, at))
      row = larger
    }
    row[at] = matched ? 1 : 0
    row.writeUInt32BE(bytes.length, at + 1)
    row.set(bytes, at + 5)
    at = next
  }
  return row.subarray(0, at)
}

/** Puts a row's records into their group. */
export function decodeChunk(group: JoinGroup, bytes: Uint8Array, values: ValueCodec): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const start = at + 5
    const end = start + view.getUint32(at + 1)
    const value = values.decode(bytes.subarray(start, end))
    group.insert(new Kept(timestampOf(bytes, start), value, group.arrived.length, bytes[at] === 1))
    at = end
  }
}
