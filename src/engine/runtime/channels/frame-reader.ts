import { ValueReader } from '../../../state/codec/index.ts'
import type { ChannelCodec } from './channel-codec.ts'
import { flagHeaders, frameHeadBytes, padded } from './frame-writer.ts'
import { placesNamed } from '../inputs/places.ts'
import type { RawHeaders, RecordBatch } from '../record.ts'

export const frameKind = (frame: Buffer): number => frame[0] as number
export const frameFlags = (frame: Buffer): number => frame[1] as number
export const frameSlot = (frame: Buffer): number => frame.readUInt32LE(4)
export const frameGeneration = (frame: Buffer): number => frame.readUInt32LE(8)
export const frameEpoch = (frame: Buffer): number => frame.readUInt32LE(12)
export const frameCount = (frame: Buffer): number => frame.readUInt32LE(16)
export const frameW = (frame: Buffer): number => frame.readDoubleLE(24)
const frameStretches = (frame: Buffer): number => frame.readUInt32LE(32)
const frameNames = (frame: Buffer): number => frame.readUInt32LE(36)

/** Where records go: a channel. */
export interface RecordsInto {
  push(
    key: unknown,
    value: unknown,
    old: unknown,
    ts: number,
    w: number,
    headers: RawHeaders | undefined,
    place: number,
    offset: number,
  ): void
}

const reader = new ValueReader(Buffer.alloc(0))

/** Decodes all records of a frame that begins at a multiple of 8 of its memory. */
export function readRecords(frame: Buffer, codec: ChannelCodec, into: RecordsInto): void {
  const count = frameCount(frame)
  if (count === 0) return
  const runs = frame.readUInt32LE(20)
  const timestamps = new Float64Array(frame.buffer, frame.byteOffset + frameHeadBytes, count)
  const ws = new Float64Array(frame.buffer, frame.byteOffset + frameHeadBytes + 8 * count, 2 * runs)
  const from = frameHeadBytes + 8 * count + 16 * runs
  const origins = new Float64Array(frame.buffer, frame.byteOffset + from, count)
  const stretches = new Uint32Array(frame.buffer, frame.byteOffset + from + 8 * count, 2 * frameStretches(frame))
  const named = from + 8 * (count + frameStretches(frame))
  const places = placesNamed(frame.latin1Slice(named, named + frameNames(frame)))
  const begin = named + padded(frameNames(frame))
  const { key: keySerde, value: valueSerde, change, topic } = codec
  const headers = (frameFlags(frame) & flagHeaders) !== 0 ? headersOf(frame, begin, count, change) : undefined
  reader.on(frame, begin, frame.length)
  let run = 0
  let left = ws[1] as number
  let stretch = 0
  let same = stretches[1] as number
  for (let i = 0; i < count; i++) {
    if (left === 0) left = ws[2 * ++run + 1] as number
    left--
    if (same === 0) same = stretches[2 * ++stretch + 1] as number
    same--
    let key = reader.value()
    let value = reader.value()
    let old = change ? reader.value() : undefined
    if (keySerde !== undefined && key !== null && key !== undefined)
      key = keySerde.deserialize(key as Uint8Array, topic)
    if (valueSerde !== undefined) {
      if (value !== null && value !== undefined) value = valueSerde.deserialize(value as Uint8Array, topic)
      if (old !== null && old !== undefined) old = valueSerde.deserialize(old as Uint8Array, topic)
    }
    const place = places[stretches[2 * stretch] as number] as number
    into.push(
      key,
      value,
      old,
      timestamps[i] as number,
      ws[2 * run] as number,
      headers?.[i],
      place,
      origins[i] as number,
    )
  }
}

/** They lie behind all records. */
function headersOf(frame: Buffer, begin: number, count: number, change: boolean): (RawHeaders | undefined)[] {
  const ahead = new ValueReader(frame, begin, frame.length)
  for (let i = count * (change ? 3 : 2); i > 0; i--) ahead.value()
  return ahead.value() as (RawHeaders | undefined)[]
}

/** A frame's records as a batch of a channel. */
export function recordsOf(frame: Buffer, codec: ChannelCodec, partition: number): RecordBatch {
  const headers: (RawHeaders | undefined)[] = []
  const batch = {
    topic: codec.topic,
    partition,
    count: 0,
    keys: [] as unknown[],
    values: [] as unknown[],
    olds: codec.change ? ([] as unknown[]) : undefined,
    timestamps: [] as number[],
    w: [] as number[],
    places: [] as number[],
    origins: [] as number[],
    headers: (frameFlags(frame) & flagHeaders) !== 0 ? headers : undefined,
    offsets: undefined,
    baseOffset: 0,
  }
  readRecords(frame, codec, {
    push(key, value, old, ts, w, header, place, origin) {
      batch.keys.push(key)
      batch.values.push(value)
      batch.olds?.push(old)
      batch.timestamps.push(ts)
      batch.w.push(w)
      batch.places.push(place)
      batch.origins.push(origin)
      headers.push(header)
      batch.count++
    },
  })
  return batch
}
