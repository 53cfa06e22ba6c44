export {
  type AvroOptions,
  type JsonSchemaOptions,
  type ProtobufOptions,
  type SchemaRegistry,
  type SchemaRegistryOptions,
  schemaRegistry,
} from './registry.ts'
export type { SubjectName, SubjectOptions } from './serde.ts'
export type { SchemaReference } from './requests.ts'
