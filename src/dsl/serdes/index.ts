export { BuiltInSerde, type FastSerde, isFast } from './fast.ts'
export { serdes } from './serdes.ts'
export type { KeyOrder, OrderedKey, OrderedSerde, OrderOf, Serde, Serializer, StandardSchema } from './types.ts'
