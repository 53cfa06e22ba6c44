import type { ChannelCodec } from './channel-codec.ts'
import { frameCount, readRecords, type RecordsInto } from './frame-reader.ts'
import { FrameSeries } from './frame-series.ts'
import type { Channel } from './channel.ts'
import type { RecordBatch } from '../record.ts'
import { nowhere } from '../inputs/places.ts'
import { aligned } from './ring-link.ts'

/** What was sent to a task and not applied when its epoch was sealed, as it lies in the state: by feed, oldest first. */
export interface InFlight {
  readonly feed: string
  /** Number of the first record in its channel. */
  readonly base: number
  /** Of its records, so many from the first on have been processed. */
  readonly skip?: number
  readonly frames: readonly Uint8Array[]
}

/** Batches of one feed as frames. */
export function framesOf(batches: readonly RecordBatch[], codec: ChannelCodec): Buffer[] {
  const frames: Buffer[] = []
  const writer = new FrameSeries(codec, frames)
  for (const { count, keys, values, olds, timestamps, w, headers, places, origins } of batches) {
    for (let i = 0; i < count; i++) {
      const [place, origin] = [places?.[i] ?? nowhere, origins?.[i] ?? -1]
      writer.add(keys[i], values[i], olds?.[i], timestamps[i] as number, w?.[i] as number, headers?.[i], place, origin)
    }
  }
  writer.end()
  return frames
}

/** Puts them back: before all that is sent from now on. */
export function putBack(one: InFlight, codec: ChannelCodec, channel: Channel): void {
  readInFlight(one, codec, channel)
  channel.startAt(one.base)
}

/** All that has not been processed. */
export function readInFlight({ frames, skip = 0 }: InFlight, codec: ChannelCodec, into: RecordsInto): void {
  let left = skip
  const rest: RecordsInto = {
    push(...record) {
      if (left > 0) left--
      else into.push(...record)
    },
  }
  for (const bytes of frames) {
    const frame = aligned(bytes)
    const count = frameCount(frame)
    if (count <= left) left -= count
    else readRecords(frame, codec, left > 0 ? rest : into)
  }
}
