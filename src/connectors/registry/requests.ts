/**
 * The requests of the Confluent Schema Registry's HTTP API that are needed, and what their answers mean. Nothing is sent
 * here: who runs a call sends what it yields, so that one description serves callers that may wait and those that may not.
 *
 * @see https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
import { DhaaraError } from '../../errors/index.ts'

export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON'

/** A schema that another one names. */
export interface SchemaReference {
  /** As it is named there: a type of Avro, a file of Protobuf, a `$ref` of JSON Schema. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema as the registry has it. */
export interface RawSchema {
  readonly schema: string
  readonly type: SchemaType
  readonly references: readonly SchemaReference[]
}

export interface RegisteredSchema extends RawSchema {
  readonly id: number
}

/** A schema with all that it names, in an order in which each comes behind what it needs. */
export interface ResolvedSchema extends RawSchema {
  readonly resolved: readonly (RawSchema & { readonly name: string })[]
}

export interface Request {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

export interface Response {
  readonly status: number
  readonly body: string
}

/** Something to be done that needs answers of the registry. */
export type Call<T> = Generator<Request, T, Response>

interface Answer {
  readonly id?: number
  readonly schema?: string
  readonly schemaType?: SchemaType
  readonly references?: readonly SchemaReference[]
  readonly error_code?: number
  readonly message?: string
}

/** @throws DhaaraError DHAARA_SCHEMA_ID, DHAARA_REGISTRY, DHAARA_REGISTRY_AUTH */
export function* schemaOfId(id: number): Call<ResolvedSchema> {
  const response = yield { method: 'GET', path: `/schemas/ids/${id}` }
  if (response.status === 404) {
    const message = `the registry has no schema with the id ${id}: the record was written with another registry, or the schema was deleted for good`
    throw new DhaaraError('DHAARA_SCHEMA_ID', message)
  }
  return yield* withReferences(rawOf(read(response, `the schema with the id ${id}`)))
}

/** The newest schema of a subject. @throws DhaaraError DHAARA_SCHEMA_SUBJECT, DHAARA_REGISTRY, DHAARA_REGISTRY_AUTH */
export function* latestOf(subject: string): Call<RegisteredSchema & ResolvedSchema> {
  const answer = yield* versionOf(subject, 'latest')
  return { ...(yield* withReferences(rawOf(answer))), id: answer.id as number }
}

/**
 * The id of a schema under a subject.
 *
 * @param register false: it must be there
 * @throws DhaaraError DHAARA_SCHEMA_SUBJECT, DHAARA_SCHEMA_INCOMPATIBLE, DHAARA_REGISTRY, DHAARA_REGISTRY_AUTH
 */
export function* idOf(subject: string, { schema, type, references }: RawSchema, register: boolean): Call<number> {
  const path = `/subjects/${encodeURIComponent(subject)}${register ? '/versions' : ''}`
  // Avro is what is meant where nothing is said, as old registries want it
  const schemaType = type === 'AVRO' ? {} : { schemaType: type }
  const body = JSON.stringify({ schema, ...schemaType, ...(references.length === 0 ? {} : { references }) })
  const response = yield { method: 'POST', path, body }
  const said = saidBy(response)
  if (response.status === 404)
    throw new DhaaraError(
      'DHAARA_SCHEMA_SUBJECT',
      `the registry does not have this schema under the subject '${subject}': ${said}. Register it, or say {schemas: 'register'}`,
    )
  if (response.status === 409 || response.status === 422)
    throw new DhaaraError(
      'DHAARA_SCHEMA_INCOMPATIBLE',
      `the registry refuses the schema for the subject '${subject}': ${said}. Change the schema so that it fits those before it, or the subject's compatibility`,
    )
  return read(response, `the subject '${subject}'`).id as number
}

function* versionOf(subject: string, version: number | 'latest'): Call<Answer> {
  const response = yield { method: 'GET', path: `/subjects/${encodeURIComponent(subject)}/versions/${version}` }
  if (response.status === 404) {
    const what = version === 'latest' ? `no subject '${subject}'` : `no version ${version} of the subject '${subject}'`
    throw new DhaaraError('DHAARA_SCHEMA_SUBJECT', `the registry has ${what}: register a schema under it`)
  }
  return read(response, `the subject '${subject}'`)
}

export function* withReferences(schema: RawSchema): Call<ResolvedSchema> {
  const found = new Map<string, RawSchema & { readonly name: string }>()
  yield* gather(schema.references, found)
  return { ...schema, resolved: [...found.values()] }
}

function* gather(
  references: readonly SchemaReference[],
  found: Map<string, RawSchema & { readonly name: string }>,
): Call<void> {
  for (const { name, subject, version } of references) {
    if (found.has(name)) continue
    const raw = rawOf(yield* versionOf(subject, version))
    yield* gather(raw.references, found)
    found.set(name, { ...raw, name })
  }
}

const rawOf = ({ schema, schemaType, references }: Answer): RawSchema => ({
  schema: schema as string,
  type: schemaType ?? 'AVRO',
  references: references ?? [],
})

function read(response: Response, what: string): Answer {
  const { status, body } = response
  if (status === 401 || status === 403)
    throw new DhaaraError(
      'DHAARA_REGISTRY_AUTH',
      `the registry answers ${status} when asked for ${what}: ${saidBy(response)}. Give schemaRegistry({ auth }) credentials that may do that`,
    )
  if (status === 200)
    try {
      return JSON.parse(body) as Answer
    } catch {
      // something else listens there
    }
  throw new DhaaraError(
    'DHAARA_REGISTRY',
    `the registry answers ${status} when asked for ${what}: ${saidBy(response)}; expected its JSON. Is the url that of a schema registry?`,
  )
}

function saidBy({ body }: Response): string {
  try {
    const { error_code: code, message } = JSON.parse(body) as Answer
    return `${message ?? body.slice(0, 200)}${code === undefined ? '' : ` (${code})`}`
  } catch {
    return JSON.stringify(body.slice(0, 200))
  }
}
