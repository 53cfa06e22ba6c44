import type { Windowed } from '../windows/types.ts'
import { BuiltInSerde, isFast } from './fast.ts'
import { undecodable, unencodable } from './refuse.ts'
import type { Serde } from './types.ts'

const forever = 2n ** 63n - 1n

/**
 * The bytes of the key, then the window's end and its start, each as an 8-byte big-endian long.
 *
 * This is the layout of Kafka's SessionWindowedSerializer. That of its TimeWindowedSerializer has no end, which readers must then
 * be told; so all windows have this one, and SessionWindowedDeserializer reads them in Java. It hands out both numbers as they
 * are: for time windows the end is exclusive there too, against what its SessionWindow says. A window without an end has 2^63 - 1.
 */
export class WindowedSerde<K> extends BuiltInSerde<Windowed<K>> {
  readonly ordered = false
  override readonly keepsViews: boolean
  readonly #key: Serde<K>

  constructor(key: Serde<K>) {
    super()
    this.#key = key
    this.keepsViews = !isFast(key) || key.keepsViews
  }

  serialize(value: Windowed<K>, topic: string): Uint8Array {
    if (typeof value?.window !== 'object') throw unencodable(topic, value, '{key, window: {start, end}}')
    const { start, end } = value.window
    if (!Number.isSafeInteger(start) || !(Number.isSafeInteger(end) || end === Number.POSITIVE_INFINITY)) {
      throw unencodable(topic, `${start}..${end}`, 'a window of whole milliseconds')
    }
    const key = this.#key.serialize(value.key, topic)
    const bytes = Buffer.allocUnsafe(key.length + 16)
    bytes.set(key)
    bytes.writeBigInt64BE(end === Number.POSITIVE_INFINITY ? forever : BigInt(end), key.length)
    bytes.writeBigInt64BE(BigInt(start), key.length + 8)
    return bytes
  }

  read(buf: Buffer, start: number, end: number, topic: string): Windowed<K> {
    const at = end - 16
    if (at < start) throw undecodable(topic, buf, start, end, 'a key and 16 bytes of its window')
    const ends = buf.readBigInt64BE(at)
    const window = {
      start: Number(buf.readBigInt64BE(at + 8)),
      end: ends === forever ? Number.POSITIVE_INFINITY : Number(ends),
    }
    const key = isFast(this.#key)
      ? this.#key.read(buf, start, at, topic)
      : this.#key.deserialize(buf.subarray(start, at), topic)
    return { key, window }
  }
}
