import type { AnySerde } from '../../dsl/plan/index.ts'
import { decodeValue, encodeValue } from '../../state/codec/index.ts'

/** Any plain data: what stores use where no serde is given. */
export const valueSerde: AnySerde = {
  ordered: false,
  serialize: encodeValue,
  deserialize: (bytes) => decodeValue(bytes),
}
