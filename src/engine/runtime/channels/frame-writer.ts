/**
 * Records on their way between threads, or in flight in the state, as bytes. Little endian, all parts at multiples of 8
 * but the last:
 *
 *     kind u8 | flags u8 | - u16 | slot u32 | generation u32 | epoch u32 | count u32 | runs u32 | w f64 |
 *     stretches u32 | names u32
 *     timestamps   count x f64
 *     W            runs x (f64 W before the record, f64 records that have it)
 *     origins      count x f64, the offset of the source record that each one comes from
 *     places       stretches x (u32 its topic partition, a number among `names`, u32 records that have it)
 *     names        of topic partitions, that many bytes
 *     data         key, value[, old] of each record[; headers of all], as values
 *
 * `w` is the producer's W behind all of them. What a serde makes are bytes, as a value; null stays null.
 */
import type { AnySerde } from '../../../dsl/plan/index.ts'
import { ValueWriter } from '../../../state/codec/index.ts'
import type { ChannelCodec } from './channel-codec.ts'
import { placeNames } from '../inputs/places.ts'
import type { RawHeaders } from '../record.ts'
import type { Message } from './ring-link.ts'

const frameRecords = 1
/** `epoch` is sealed, and all of it was sent; `count`: frames sent so far. */
export const frameMarker = 2

export const flagIdle = 1
export const flagEnded = 2
export const flagHeaders = 4

export const frameHeadBytes = 40
/** Records a frame. */
const most = 512
/** Of its records, about: the last one may go beyond, unless it is a long one. */
const mostBytes = 256 * 1024
const long = 16 * 1024
/** No place is this one. */
const unset = -2

export const padded = (bytes: number): number => (bytes + 7) & ~7

/** Collects records of one channel in buffers that are used again: no object a record. */
export class FrameWriter implements Message {
  count = 0
  slot = 0
  generation = 0
  epoch = 0
  w = Number.NEGATIVE_INFINITY
  idle = false
  ended = false
  private readonly codec: ChannelCodec
  private readonly data = new ValueWriter(4096)
  private readonly timestamps = new Float64Array(most)
  private readonly ws = new Float64Array(2 * most)
  private runs = 0
  private lastW = Number.NaN
  private readonly origins = new Float64Array(most)
  private readonly stretches = new Uint32Array(2 * most)
  private stretched = 0
  private lastPlace = unset
  /** Topic partitions of this frame, and how they are written. */
  private places: number[] = []
  private names: Buffer = Buffer.alloc(0)
  private named: readonly number[] = []
  private headers: (RawHeaders | undefined)[] | undefined
  private headerBytes = 0

  constructor(codec: ChannelCodec) {
    this.codec = codec
  }

  /** No more fits, or should. */
  get full(): boolean {
    return this.count === most || this.data.pos + this.headerBytes > mostBytes
  }

  /**
   * @returns false: it is too long to go behind those that are there, and is not; these go first
   * @throws DhaaraError DHAARA_SERIALIZE; the record is not there then
   */
  add(
    key: unknown,
    value: unknown,
    old: unknown,
    ts: number,
    w: number,
    headers: RawHeaders | undefined,
    place: number,
    offset: number,
  ): boolean {
    const { codec, data, count } = this
    const start = data.pos
    const ownHeaders = headers === undefined ? 0 : bytesOf(headers)
    try {
      write(data, codec.key, key, codec.topic)
      write(data, codec.value, value, codec.topic)
      if (codec.change) write(data, codec.value, old, codec.topic)
    } catch (error) {
      data.pos = start
      throw error
    }
    const all = data.pos + this.headerBytes + ownHeaders
    if (count > 0 && all > mostBytes && data.pos - start + ownHeaders > long) {
      data.pos = start
      return false
    }
    this.timestamps[count] = ts
    if (w === this.lastW) (this.ws[2 * this.runs - 1] as number)++
    else {
      this.lastW = w
      this.ws[2 * this.runs] = w
      this.ws[2 * this.runs + 1] = 1
      this.runs++
    }
    this.origins[count] = offset
    if (place === this.lastPlace) (this.stretches[2 * this.stretched - 1] as number)++
    else this.stretch(place)
    if (headers !== undefined || this.headers !== undefined) {
      this.headers ??= new Array<undefined>(count).fill(undefined)
      this.headers.push(headers)
      this.headerBytes += ownHeaders
    }
    this.count = count + 1
    return true
  }

  private stretch(place: number): void {
    let known = this.places.indexOf(place)
    if (known < 0) known = this.places.push(place) - 1
    this.lastPlace = place
    this.stretches[2 * this.stretched] = known
    this.stretches[2 * this.stretched + 1] = 1
    this.stretched++
  }

  /** Nothing may be added between this and `fill`. */
  get size(): number {
    if (this.headers !== undefined) {
      this.data.value(this.headers)
      this.headers = undefined
      this.withHeaders = true
    }
    this.name()
    const places = 8 * (this.count + this.stretched) + padded(this.names.length)
    return frameHeadBytes + 8 * this.count + 16 * this.runs + places + this.data.pos
  }

  private withHeaders = false

  /** Most frames are of the same few places as the one before. */
  private name(): void {
    const { places, named } = this
    if (places.length === named.length && places.every((place, i) => place === named[i])) return
    this.named = [...places]
    this.names = placeNames(places)
  }

  fill(buf: Buffer, at: number): void {
    const { count, runs, stretched, names, data } = this
    buf[at] = frameRecords
    buf[at + 1] = (this.idle ? flagIdle : 0) | (this.ended ? flagEnded : 0) | (this.withHeaders ? flagHeaders : 0)
    buf.writeUInt16LE(0, at + 2)
    buf.writeUInt32LE(this.slot, at + 4)
    buf.writeUInt32LE(this.generation, at + 8)
    buf.writeUInt32LE(this.epoch, at + 12)
    buf.writeUInt32LE(count, at + 16)
    buf.writeUInt32LE(runs, at + 20)
    buf.writeDoubleLE(this.w, at + 24)
    buf.writeUInt32LE(stretched, at + 32)
    buf.writeUInt32LE(names.length, at + 36)
    let to = at + frameHeadBytes
    buf.set(new Uint8Array(this.timestamps.buffer, 0, 8 * count), to)
    to += 8 * count
    buf.set(new Uint8Array(this.ws.buffer, 0, 16 * runs), to)
    to += 16 * runs
    buf.set(new Uint8Array(this.origins.buffer, 0, 8 * count), to)
    to += 8 * count
    buf.set(new Uint8Array(this.stretches.buffer, 0, 8 * stretched), to)
    to += 8 * stretched
    buf.set(names, to)
    // memory that was another's: equal records are to be equal bytes
    buf.fill(0, to + names.length, to + padded(names.length))
    data.buf.copy(buf, to + padded(names.length), 0, data.pos)
  }

  clear(): void {
    this.count = 0
    this.runs = 0
    this.lastW = Number.NaN
    this.stretched = 0
    this.lastPlace = unset
    this.places.length = 0
    this.headers = undefined
    this.headerBytes = 0
    this.withHeaders = false
    this.data.reset()
  }

  /** The frame as bytes of its own. */
  take(): Buffer {
    const buf = Buffer.allocUnsafeSlow(this.size)
    this.fill(buf, 0)
    this.clear()
    return buf
  }
}

/** Tells that a worker has sent all of an epoch. */
export function marker(generation: number, epoch: number, frames: number): Message {
  return {
    size: frameHeadBytes,
    fill(buf, at) {
      buf.fill(0, at, at + frameHeadBytes)
      buf[at] = frameMarker
      buf.writeUInt32LE(generation, at + 8)
      buf.writeUInt32LE(epoch, at + 12)
      buf.writeUInt32LE(frames >>> 0, at + 16)
    },
  }
}

function bytesOf(headers: RawHeaders): number {
  let bytes = 0
  for (const [name, value] of headers) bytes += name.length + value.length
  return bytes
}

function write(data: ValueWriter, serde: AnySerde | undefined, value: unknown, topic: string): void {
  if (serde === undefined || value === null || value === undefined) data.value(value)
  else data.value(serde.serialize(value, topic))
}
