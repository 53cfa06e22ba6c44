import type { RawSchema, ResolvedSchema, SchemaType } from './requests.ts'

/** Reads a value in [start, end). @throws anything: bytes that are not of the schema */
export type Decode = (bytes: Buffer, start: number, end: number, topic: string) => unknown

/** Writes a value behind a header. @throws anything: a value that is not of the schema */
export interface Encode {
  /** Behind the schema's id, the same for each record. */
  readonly prefix?: Uint8Array
  encode(value: unknown, header: Buffer): Uint8Array
}

/** One of the three languages of schemas, with what the user has said of it. */
export interface Format {
  readonly type: SchemaType
  /** What is written with, and read as; absent: each record is read as its writer's schema says. */
  readonly own: RawSchema | undefined
  /** Name of the record or message of a schema, for subjects that have it. */
  nameOf(schema: ResolvedSchema): string
  decoder(writer: ResolvedSchema, own: ResolvedSchema | undefined): Decode
  encoder(schema: ResolvedSchema): Encode
}
