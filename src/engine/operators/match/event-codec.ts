import type { AnySerde } from '../../../dsl/plan/index.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import type { EventCodec } from '../../cep/index.ts'

/** How the events of a match step are stored: by the serde that the user gave, or that the stream has. */
export function eventCodec(serde: AnySerde | undefined, store: string): EventCodec {
  if (serde === undefined) return { encode: encodeValue, decode: (bytes) => decodeValue(bytes) }
  return {
    encode: (value) => serde.serialize(value, store),
    decode: (bytes) => serde.deserialize(bytes, store),
  }
}
