export {
  type AvroOptions,
  type JsonSchemaOptions,
  type ProtobufOptions,
  type SchemaRegistry,
  type SchemaRegistryOptions,
  schemaRegistry,
} from './registry.ts'
export type { SubjectName, SubjectOptions } from './subjects.ts'
export type { SchemaReference } from './requests.ts'
