import { isUtf8 } from 'node:buffer'
import { DhaaraError } from '../../errors/index.ts'
import { BuiltInSerde } from './fast.ts'
import { JsonSerde } from './json.ts'
import { generated } from '../generated.ts'
import * as skipping from './json-skip.ts'

/** Type of a field; with `?` it may be missing or null, and is null then. `json`: any JSON value. */
export type JsonFieldType = 'string' | 'number' | 'boolean' | 'json'
/**
 * Fields by name: each a type, or for an object the fields to read of it, in a pair with `'?'` where the object may be missing or
 * null: `{ id: 'number', note: 'string?', home: { city: 'string' }, work: [{ city: 'string' }, '?'] }`.
 */
export interface JsonFields {
  readonly [name: string]: JsonFieldType | `${JsonFieldType}?` | JsonFields | readonly [JsonFields, '?']
}
interface JsonTypes {
  string: string
  number: number
  boolean: boolean
  json: unknown
}
/** What `serdes.json({fields})` reads. */
export type FieldsOf<F extends JsonFields> = { readonly [P in keyof F]: FieldOf<F[P]> }
type FieldOf<F> = F extends `${infer T extends JsonFieldType}?`
  ? JsonTypes[T] | null
  : F extends JsonFieldType
    ? JsonTypes[F]
    : F extends readonly [infer O extends JsonFields, '?']
      ? FieldsOf<O> | null
      : F extends JsonFields
        ? FieldsOf<F>
        : never

interface Field {
  readonly name: string
  /** Of an object: what is read of it. */
  readonly type: JsonFieldType | readonly Field[]
  readonly optional: boolean
}

/** undefined: not plain enough. */
type Reader = (b: Buffer, start: number, end: number) => object | undefined

/**
 * JSON objects of which only the declared fields are read, by a scan over the bytes made for just these fields. What is not plain
 * (escapes in names, a value of another type, no JSON at all) goes through `JSON.parse`, so that the scan decides nothing but the
 * speed: both ways give the same value, or the same error, for every input.
 */
export class JsonFieldsSerde extends BuiltInSerde<object> {
  readonly ordered = false
  readonly #whole = new JsonSerde<unknown>()
  readonly #fields: readonly Field[]
  readonly #scan: Reader | undefined

  /** @throws DhaaraError DHAARA_OPTION */
  constructor(fields: JsonFields, { scan = true }: { readonly scan?: boolean } = {}) {
    super()
    this.#fields = allOf(fields, '')
    this.#scan = scan ? scannerOf(this.#fields) : undefined
  }

  text(value: object): string {
    return this.#whole.text(value)
  }

  serialize(value: object, topic: string): Uint8Array {
    return this.#whole.serialize(value, topic)
  }

  read(buf: Buffer, start: number, end: number, topic: string): object {
    return this.#scan?.(buf, start, end) ?? pick(this.#fields, this.#whole.read(buf, start, end, topic), topic, '')
  }
}

/** @param within path of the object, with a dot behind it; empty for the value itself */
function pick(fields: readonly Field[], value: unknown, topic: string, within: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mismatch(topic, within.slice(0, -1), value, 'object')
  }
  return Object.fromEntries(
    fields.map(({ name, type, optional }) => {
      const found: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
      if (optional && (found === undefined || found === null)) return [name, null]
      if (typeof type !== 'string') return [name, pick(type, found, topic, `${within}${name}.`)]
      if (found === undefined || (type !== 'json' && typeof found !== type))
        throw mismatch(topic, within + name, found, type)
      return [name, found]
    }),
  )
}

function allOf(fields: JsonFields, within: string): Field[] {
  const all = Object.entries(fields).map(([name, given]) => fieldOf(within, name, given))
  if (all.length > 0) return all
  const of = within === '' ? '' : ` of ${within.slice(0, -1)}`
  throw new DhaaraError('DHAARA_OPTION', `serdes.json({fields}) was given no field${of}`)
}

function fieldOf(within: string, name: string, given: JsonFields[string]): Field {
  if (typeof given === 'string') {
    const optional = given.endsWith('?')
    const type = optional ? given.slice(0, -1) : given
    if (type === 'string' || type === 'number' || type === 'boolean' || type === 'json') return { name, type, optional }
  } else if (typeof given === 'object' && given !== null) {
    if (!isPair(given)) return { name, type: allOf(given, `${within}${name}.`), optional: false }
    const [fields, mark] = given
    if (mark === '?' && typeof fields === 'object' && fields !== null)
      return { name, type: allOf(fields, `${within}${name}.`), optional: true }
  }
  throw new DhaaraError(
    'DHAARA_OPTION',
    `serdes.json({fields}) was given ${within}${name}: ${JSON.stringify(given)}; expected 'string', 'number', 'boolean' or 'json', with '?' if it may be missing, or the fields of an object, as [fields, '?'] if it may`,
  )
}

const isPair = (given: JsonFields | readonly [JsonFields, '?']): given is readonly [JsonFields, '?'] =>
  Array.isArray(given)

function mismatch(topic: string, field: string, found: unknown, expected: string): DhaaraError {
  const what =
    found === undefined
      ? 'missing'
      : found === null
        ? 'null'
        : `${Array.isArray(found) ? 'an array' : `a ${typeof found}`}`
  const where = field === '' ? 'A value' : `Field '${field}' of a value`
  return new DhaaraError('DHAARA_SCHEMA', `${where} of ${topic} is ${what}; expected ${article(expected)}`)
}

const article = (type: string): string => (type === 'json' ? 'a value' : `${type === 'object' ? 'an' : 'a'} ${type}`)

const { ESCAPE, HIGH } = skipping
const helpers = { ...skipping, isUtf8, parse: JSON.parse }

/** Where code must not be generated there is no scan, and all goes through `JSON.parse`. */
function scannerOf(fields: readonly Field[]): Reader | undefined {
  if (!canScan(fields)) return undefined
  return generated(Object.keys(helpers), sourceOf(fields))?.(...Object.values(helpers)) as Reader | undefined
}

/** A name with other characters could be written in several ways, or be no property of a plain object literal. */
const canScan = (fields: readonly Field[]): boolean =>
  fields.every(
    ({ name, type }) =>
      /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' && (typeof type === 'string' || canScan(type)),
  )

/** The text of a scan: a function for each object, which leaves in `at` where the object ended. */
class Source {
  readonly functions: string[] = []

  /** @returns name of the function that reads an object of these fields from behind its opening brace */
  object(fields: readonly Field[]): string {
    const lengths = [...new Set(fields.map(({ name }) => name.length))]
    const cases = lengths.map((length) => {
      const same = fields.flatMap((field, v) => (field.name.length === length ? [this.branch(field, v)] : []))
      return `case ${length}:\n${same.join(' else ')} else i = skipValue(b, i, end)\nbreak`
    })
    const missing = fields.flatMap(({ optional }, v) => (optional ? [] : [`v${v} === undefined`])).join(' || ')
    const result = fields.map(({ name, optional }, v) => `${name}: v${v}${optional ? ' ?? null' : ''}`)
    const name = `object${this.functions.length}`
    this.functions.push(`function ${name}(b, i, end) {
  let ${fields.map((_, v) => `v${v}`).join(', ')}
  let c = 0, s = 0
  i = skipSpace(b, i, end)
  if (b[i] !== 0x7d) for (;;) {
    if (b[i] !== 0x22) return undefined
    const k = i + 1
    i = skipName(b, k, end)
    if (i < 0) return undefined
    const length = i - k
    i++
    if (b[i] !== 0x3a) {
      i = skipSpace(b, i, end)
      if (b[i] !== 0x3a) return undefined
    }
    i++
    if (b[i] <= 0x20) i = skipSpace(b, i, end)
    switch (length) {
${cases.join('\n')}
default: i = skipValue(b, i, end)
    }
    if (i < 0) return undefined
    if (b[i] <= 0x20) i = skipSpace(b, i, end)
    if (b[i] === 0x2c) { i++; if (b[i] <= 0x20) i = skipSpace(b, i, end) }
    else if (b[i] === 0x7d) break
    else return undefined
  }
  at = i + 1
  return ${missing === '' ? '' : `${missing} ? undefined : `}{ ${result.join(', ')} }
}`)
    return name
  }

  /** If the key at `k` is the field's, its value at `i` goes into v<n>, and `i` behind it. */
  private branch({ name, type, optional }: Field, n: number): string {
    const same = [...name].map((char, at) => `b[k + ${at}] === ${char.charCodeAt(0)}`).join(' && ')
    const plain = typeof type === 'string' ? readers[type](`v${n}`) : nested(this.object(type), `v${n}`)
    // A null that was written over an earlier value of the same name is the last word.
    const nullable = optional ? `if (b[i] === 0x6e) { i = skipWord(b, i, end, 'null'); v${n} = null } else ` : ''
    return `if (${same}) { ${nullable}{ ${plain} } }`
  }
}

function sourceOf(fields: readonly Field[]): string {
  const source = new Source()
  const whole = source.object(fields)
  return `let at = 0, marks = 0
${source.functions.join('\n')}
return function read(b, start, end) {
  enterBuffer(b)
  takeMarks()
  marks = 0
  const i = skipSpace(b, start, end)
  if (b[i] !== 0x7b) return undefined
  const value = ${whole}(b, i + 1, end)
  if (value === undefined || skipSpace(b, at, end) !== end) return undefined
  marks |= takeMarks()
  return (marks & ${HIGH}) !== 0 && !isUtf8(b.subarray(start, end)) ? undefined : value
}`
}

const nested = (object: string, v: string): string => `
    if (b[i] !== 0x7b) return undefined
    ${v} = ${object}(b, i + 1, end)
    if (${v} === undefined) return undefined
    i = at`

const readers: Readonly<Record<JsonFieldType, (v: string) => string>> = {
  string: (v) => `
    if (b[i] !== 0x22) return undefined
    s = ++i
    marks |= takeMarks()
    i = skipString(b, s, end)
    if (i < 0) return undefined
    switch (c = takeMarks()) {
      case 0: ${v} = b.latin1Slice(s, i); break
      case ${HIGH}: ${v} = b.utf8Slice(s, i); break
      case ${ESCAPE}: ${v} = unescaped(b, s, i) ?? parse(b.latin1Slice(s - 1, i + 1)); break
      default: ${v} = parse(b.utf8Slice(s - 1, i + 1))
    }
    marks |= c
    i++`,
  number: (v) => `
    s = i
    let n = 0
    while (i < end && (c = b[i] - 0x30) >>> 0 < 10) { n = n * 10 + c; i++ }
    if (i === s || i - s > 15 || (b[s] === 0x30 && i > s + 1) || (i < end && ((c = b[i]) === 0x2e || (c | 0x20) === 0x65))) {
      i = skipNumber(b, s, end)
      if (i < 0) return undefined
      n = Number(b.latin1Slice(s, i))
    }
    ${v} = n`,
  boolean: (v) => `
    ${v} = b[i] === 0x74
    i = skipWord(b, i, end, ${v} ? 'true' : 'false')`,
  json: (v) => `
    s = i
    i = skipValue(b, i, end)
    if (i < 0) return undefined
    ${v} = parse(b.utf8Slice(s, i))`,
}
