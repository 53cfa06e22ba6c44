export { BuiltInSerde, type FastSerde, isFast } from './fast.ts'
export type { FieldsOf, JsonFields, JsonFieldType } from './json-fields.ts'
export { serdes } from './serdes.ts'
export type { KeyOrder, OrderedKey, OrderedSerde, OrderOf, Serde, Serializer, StandardSchema } from './types.ts'
