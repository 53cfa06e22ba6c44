import type { AnySerde } from '../../../dsl/plan/index.ts'
import { isFast } from '../../../dsl/serdes/fast.ts'
import type { Repartition } from '../../plan/physical.ts'

/** How the records of a repartition become bytes, between threads and in the state. */
export interface ChannelCodec {
  /** Absent: as any value. */
  readonly key: AnySerde | undefined
  readonly value: AnySerde | undefined
  /** Old values travel with the new ones. */
  readonly change: boolean
  /** What serdes are told. */
  readonly topic: string
}

/**
 * Serdes are used where they may know more than the value codec: it keeps all that JSON does and more, and ordered keys
 * as they are.
 */
export function channelCodec(repartition: Repartition): ChannelCodec {
  const { key, value, change, name } = repartition
  return { key: needed(key), value: needed(value), change, topic: name }
}

function needed(serde: AnySerde | undefined): AnySerde | undefined {
  if (serde === undefined || serde.topicsOnly === true) return undefined
  return isFast(serde) && (serde.plainJson || serde.typedKey) ? undefined : serde
}
