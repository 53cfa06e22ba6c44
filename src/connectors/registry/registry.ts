import type { Serde } from '../../dsl/serdes/index.ts'
import { type Duration, toMs } from '../../dsl/time/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { avroFormat, type AvroFormat } from './avro.ts'
import { jsonSchemaFormat, type JsonSchemaFormat } from './json-schema.ts'
import { protobufFormat, type ProtobufFormat } from './protobuf.ts'
import { Schemas } from './schemas.ts'
import { RegistrySerde } from './serde.ts'
import type { SubjectOptions } from './subjects.ts'

export interface SchemaRegistryOptions {
  /** `http://localhost:8081`; several: the next one is asked where one cannot be reached. */
  readonly url: string | readonly string[]
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string }
  readonly headers?: Readonly<Record<string, string>>
  /** For one answer; default '10s'. */
  readonly timeout?: Duration
  /** How often it is asked, with growing pauses, until it is given up; default 8, which is half a minute. */
  readonly attempts?: number
}

export type AvroOptions = AvroFormat & SubjectOptions
export type JsonSchemaOptions = JsonSchemaFormat & SubjectOptions
export type ProtobufOptions = ProtobufFormat & SubjectOptions

/** Serdes whose schemas lie in a registry. Each is for topics; stores keep values in a codec of their own. */
export interface SchemaRegistry {
  /** Avro. Needs the package `avsc`. @throws DhaaraError DHAARA_PEER_MISSING */
  avro<T = unknown>(options?: AvroOptions): Serde<T>
  /** Protocol Buffers. Needs the package `protobufjs`. @throws DhaaraError DHAARA_PEER_MISSING */
  protobuf<T = unknown>(options?: ProtobufOptions): Serde<T>
  /** JSON that a JSON Schema describes. Needs the package `ajv`. @throws DhaaraError DHAARA_PEER_MISSING */
  json<T = unknown>(options?: JsonSchemaOptions): Serde<T>
}

/**
 * A schema registry that speaks the Confluent API (Confluent's, Karapace, Redpanda's, Apicurio's under `/apis/ccompat/v7`), and
 * serdes in the Confluent wire format: what Java's KafkaAvroSerializer and its siblings write is read, and the reverse.
 *
 * A schema is fetched once, before the batch that has its id is decoded; what sinks write with is asked for when the app starts.
 * The serdes throw DhaaraError: DHAARA_SCHEMA_ID for an id that the registry does not know, DHAARA_SCHEMA for a value that does
 * not fit, DHAARA_SCHEMA_SUBJECT, DHAARA_SCHEMA_INCOMPATIBLE, DHAARA_REGISTRY, DHAARA_REGISTRY_AUTH.
 *
 * @example
 * const registry = schemaRegistry({ url: 'http://localhost:8081' })
 * builder
 *   .stream('orders', { key: serdes.string(), value: registry.avro<Order>() })
 *   .mapValues((order) => ({ customer: order.customer, total: order.total }))
 *   .to('totals', { key: serdes.string(), value: registry.avro({ schema: totalSchema }) })
 * @throws DhaaraError DHAARA_OPTION
 */
export function schemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  const schemas = new Schemas({
    urls: urlsOf(options.url),
    headers: { accept, 'content-type': contentType, ...authorization(options.auth), ...options.headers },
    timeout: toMs(options.timeout ?? '10s', 'schemaRegistry timeout', 1),
    attempts: options.attempts ?? 8,
  })
  return {
    avro: <T>(given: AvroOptions = {}) => new RegistrySerde<T>(avroFormat(given), schemas, given),
    protobuf: <T>(given: ProtobufOptions = {}) => new RegistrySerde<T>(protobufFormat(given), schemas, given),
    json: <T>(given: JsonSchemaOptions = {}) => new RegistrySerde<T>(jsonSchemaFormat(given), schemas, given),
  }
}

const contentType = 'application/vnd.schemaregistry.v1+json'
const accept = `${contentType}, application/json`

function urlsOf(given: string | readonly string[]): string[] {
  const urls = (typeof given === 'string' ? given.split(',') : [...(given ?? [])]).map((url) => url.trim())
  for (const url of urls)
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw new DhaaraError('DHAARA_OPTION', `schemaRegistry url: found '${url}', expected http://host:port`)
  if (urls.length === 0)
    throw new DhaaraError('DHAARA_OPTION', 'schemaRegistry url: found none, expected http://host:port')
  return urls.map((url) => url.replace(/\/+$/, ''))
}

function authorization(auth: SchemaRegistryOptions['auth']): Record<string, string> {
  if (auth === undefined) return {}
  if ('token' in auth) return { authorization: `Bearer ${auth.token}` }
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
}
