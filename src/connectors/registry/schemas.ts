import { DhaaraError } from '../../errors/index.ts'
import type { Format } from './format.ts'
import { type HttpOptions, run, runNow } from './http.ts'
import { type Call, idOf, latestOf, type ResolvedSchema, schemaOfId, withReferences } from './requests.ts'
import type { SubjectOptions } from './subjects.ts'

/** What a subject is written with. */
interface ToWrite {
  readonly id: number
  readonly schema: ResolvedSchema
}

/** How long an id that the registry did not know is not asked for again, ms. */
const unknownFor = 10_000

/** What a registry has said. A schema never changes, so that it is asked for once. */
export class Schemas {
  private readonly http: HttpOptions
  private readonly known = new Map<number, ResolvedSchema>()
  private readonly refused = new Map<number, { readonly error: unknown; readonly until: number }>()
  private readonly fetching = new Map<number, Promise<void>>()
  private readonly own = new Map<Format, ResolvedSchema>()
  private readonly subjects = new Map<Format, Map<string, ToWrite>>()

  constructor(http: HttpOptions) {
    this.http = http
  }

  /** It need not be asked for. */
  has(id: number): boolean {
    return this.known.has(id) || this.refusal(id) !== undefined
  }

  /** Never fails: what went wrong is told when the schema is used. */
  fetch(id: number): Promise<void> {
    let found = this.fetching.get(id)
    if (found === undefined) {
      found = run(schemaOfId(id), this.http)
        .then(
          (schema) => void this.known.set(id, schema),
          (error: unknown) => this.refuse(id, error),
        )
        .finally(() => this.fetching.delete(id))
      this.fetching.set(id, found)
    }
    return found
  }

  /** Stands still where it was not fetched before. */
  byId(id: number): ResolvedSchema {
    const known = this.known.get(id)
    if (known !== undefined) return known
    const refusal = this.refusal(id)
    if (refusal !== undefined) {
      // a registry that failed is asked again next time
      if (!isUnknown(refusal)) this.refused.delete(id)
      throw refusal
    }
    try {
      const schema = runNow(schemaOfId(id), this.http)
      this.known.set(id, schema)
      return schema
    } catch (error) {
      if (isUnknown(error)) this.refuse(id, error)
      throw error
    }
  }

  /** The schema that a format was given, with what it names. */
  ownOf(format: Format): ResolvedSchema {
    const found = this.own.get(format) ?? runNow(resolveOwn(format), this.http)
    this.own.set(format, found)
    return found
  }

  async resolve(format: Format): Promise<void> {
    if (this.own.has(format)) return
    // told when it is used
    const found = await run(resolveOwn(format), this.http).catch(() => undefined)
    if (found !== undefined) this.own.set(format, found)
  }

  async ready(format: Format, options: SubjectOptions, topic: string): Promise<void> {
    const own = format.own === undefined ? undefined : await run(resolveOwn(format), this.http)
    if (own !== undefined) this.own.set(format, own)
    const subject = subjectOf(format, options, topic, own)
    this.of(format).set(subject, await run(writing(format, options, subject, own), this.http))
  }

  toWrite(format: Format, options: SubjectOptions, topic: string): ToWrite {
    const own = format.own === undefined ? undefined : this.ownOf(format)
    const subject = subjectOf(format, options, topic, own)
    const found = this.of(format).get(subject) ?? runNow(writing(format, options, subject, own), this.http)
    this.of(format).set(subject, found)
    return found
  }

  private of(format: Format): Map<string, ToWrite> {
    const found = this.subjects.get(format) ?? new Map<string, ToWrite>()
    this.subjects.set(format, found)
    return found
  }

  private refuse(id: number, error: unknown): void {
    this.refused.set(id, { error, until: performance.now() + unknownFor })
  }

  private refusal(id: number): unknown {
    const found = this.refused.get(id)
    if (found === undefined || performance.now() < found.until) return found?.error
    this.refused.delete(id)
    return undefined
  }
}

const isUnknown = (error: unknown): boolean => error instanceof DhaaraError && error.code === 'DHAARA_SCHEMA_ID'

const resolveOwn = ({ own }: Format): Call<ResolvedSchema> => withReferences(own as NonNullable<typeof own>)

function* writing(
  format: Format,
  { schemas = 'register' }: SubjectOptions,
  subject: string,
  own: ResolvedSchema | undefined,
): Call<ToWrite> {
  if (schemas !== 'latest') {
    if (own === undefined)
      throw new DhaaraError(
        'DHAARA_OPTION',
        `records for the subject '${subject}' are to be written, and the serde has no schema. Give it one, or say {schemas: 'latest'}`,
      )
    return { id: yield* idOf(subject, own, schemas === 'register'), schema: own }
  }
  const latest = yield* latestOf(subject)
  if (latest.type === format.type) return { id: latest.id, schema: latest }
  throw new DhaaraError(
    'DHAARA_SCHEMA_INCOMPATIBLE',
    `the newest schema of the subject '${subject}' is of type ${latest.type}; expected ${format.type}`,
  )
}

function subjectOf(
  format: Format,
  { subject = 'topic', of = 'value' }: SubjectOptions,
  topic: string,
  own: ResolvedSchema | undefined,
): string {
  if (subject === 'topic') return `${topic}-${of}`
  const name = own === undefined ? '' : format.nameOf(own)
  if (typeof subject === 'function') return subject(topic, name, of)
  if (own === undefined)
    throw new DhaaraError(
      'DHAARA_OPTION',
      `subject '${subject}' needs the name of a record, and the serde has no schema`,
    )
  return subject === 'record' ? name : `${topic}-${name}`
}
