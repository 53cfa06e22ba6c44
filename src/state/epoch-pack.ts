import { DhaaraError } from '../errors/index.ts'
import type { Sealer } from './stores/index.ts'

const put = 1
const del = 2
const clear = 3
const headBytes = 9

/** Can be sent to another thread, with its memory. */
export interface Packed {
  readonly memory: ArrayBuffer
  readonly length: number
}

/**
 * What an epoch changed, packed into one buffer that can be handed to another thread:
 *
 *     op u8 | a: length u32 | b: length u32 | a | b       put: key, value; delete: key, -; clear: from, to
 */
export class EpochPack implements Sealer {
  private buf = Buffer.allocUnsafeSlow(64 * 1024)
  private at = 0

  put(key: Uint8Array, value: Uint8Array): void {
    this.add(put, key, value)
  }

  delete(key: Uint8Array): void {
    this.add(del, key, none)
  }

  clearLater(gte: Uint8Array, lt: Uint8Array): void {
    this.add(clear, gte, lt)
  }

  /** The bytes, and how many of them count. The pack must not be used any more. */
  take(): Packed {
    return { memory: this.buf.buffer as ArrayBuffer, length: this.at }
  }

  private add(op: number, a: Uint8Array, b: Uint8Array): void {
    const need = this.at + headBytes + a.length + b.length
    if (need > this.buf.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(need, 2 * this.buf.length))
      this.buf.copy(larger, 0, 0, this.at)
      this.buf = larger
    }
    const { buf, at } = this
    buf[at] = op
    buf.writeUInt32LE(a.length, at + 1)
    buf.writeUInt32LE(b.length, at + 5)
    buf.set(a, at + headBytes)
    buf.set(b, at + headBytes + a.length)
    this.at = need
  }
}

const none = new Uint8Array(0)

/** Hands on what was packed, as it was given. */
export function unpack(pack: Packed, sealer: Sealer): void {
  const buf = Buffer.from(pack.memory, 0, pack.length)
  for (let at = 0; at < pack.length; ) {
    const begin = at + headBytes
    const middle = begin + buf.readUInt32LE(at + 1)
    const end = middle + buf.readUInt32LE(at + 5)
    const op = buf[at]
    if (op === put) sealer.put(buf.subarray(begin, middle), buf.subarray(middle, end))
    else if (op === del) sealer.delete(buf.subarray(begin, middle))
    else if (op === clear) sealer.clearLater(buf.subarray(begin, middle), buf.subarray(middle, end))
    else throw new DhaaraError('DHAARA_INTERNAL', `an epoch's pack has the operation ${op} at byte ${at}`)
    at = end
  }
}
