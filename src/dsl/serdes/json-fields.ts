import { isUtf8 } from 'node:buffer'
import { DhaaraError } from '../../errors/index.ts'
import { BuiltInSerde } from './fast.ts'
import { JsonSerde } from './json.ts'
import { skipNumber, skipSpace, skipString, skipValue, skipWord, takeHigh } from './json-skip.ts'

/** Type of a field; with `?` it may be missing or null, and is null then. `json`: any JSON value. */
export type JsonFieldType = 'string' | 'number' | 'boolean' | 'json'
export type JsonFields = Readonly<Record<string, JsonFieldType | `${JsonFieldType}?`>>
interface JsonTypes {
  string: string
  number: number
  boolean: boolean
  json: unknown
}
/** What `serdes.json({fields})` reads. */
export type FieldsOf<F extends JsonFields> = {
  readonly [P in keyof F]: F[P] extends `${infer T extends JsonFieldType}?`
    ? JsonTypes[T] | null
    : F[P] extends JsonFieldType
      ? JsonTypes[F[P]]
      : never
}

interface Field {
  readonly name: string
  readonly type: JsonFieldType
  readonly optional: boolean
}

/** undefined: not plain enough. */
type Reader = (b: Buffer, start: number, end: number) => object | undefined

/**
 * JSON objects of which only the declared fields are read, by a scan over the bytes made for just these fields. What is not plain
 * (escapes, a value of another type, no JSON at all) goes through `JSON.parse`, so that the scan decides nothing but the speed:
 * both ways give the same value, or the same error, for every input.
 */
export class JsonFieldsSerde extends BuiltInSerde<object> {
  readonly ordered = false
  readonly #whole = new JsonSerde<unknown>()
  readonly #fields: readonly Field[]
  readonly #scan: Reader | undefined

  /** @throws DhaaraError DHAARA_OPTION */
  constructor(fields: JsonFields, { scan = true }: { readonly scan?: boolean } = {}) {
    super()
    this.#fields = Object.entries(fields).map(fieldOf)
    if (this.#fields.length === 0) throw new DhaaraError('DHAARA_OPTION', 'serdes.json({fields}) was given no field')
    this.#scan = scan ? scannerOf(this.#fields) : undefined
  }

  text(value: object): string {
    return this.#whole.text(value)
  }

  serialize(value: object, topic: string): Uint8Array {
    return this.#whole.serialize(value, topic)
  }

  read(buf: Buffer, start: number, end: number, topic: string): object {
    return this.#scan?.(buf, start, end) ?? this.#pick(this.#whole.read(buf, start, end, topic), topic)
  }

  #pick(value: unknown, topic: string): object {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(topic, '', value, 'object')
    return Object.fromEntries(
      this.#fields.map(({ name, type, optional }) => {
        const found: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
        if (optional && (found === undefined || found === null)) return [name, null]
        if (found === undefined || (type !== 'json' && typeof found !== type)) throw mismatch(topic, name, found, type)
        return [name, found]
      }),
    )
  }
}

function fieldOf([name, text]: [string, string]): Field {
  const optional = text.endsWith('?')
  const type = optional ? text.slice(0, -1) : text
  if (type === 'string' || type === 'number' || type === 'boolean' || type === 'json') return { name, type, optional }
  throw new DhaaraError(
    'DHAARA_OPTION',
    `serdes.json({fields}) was given ${name}: '${text}'; expected 'string', 'number', 'boolean' or 'json', with '?' if it may be missing`,
  )
}

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

const helpers = { skipNumber, skipSpace, skipString, skipValue, skipWord, takeHigh, isUtf8, parse: JSON.parse }

/** Where code must not be generated there is no scan, and all goes through `JSON.parse`. */
function scannerOf(fields: readonly Field[]): Reader | undefined {
  // A name with other characters could be written in several ways, or be no property of a plain object literal.
  if (!fields.every(({ name }) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__')) return undefined
  try {
    const make = new Function(...Object.keys(helpers), `return ${sourceOf(fields)}`)
    return make(...Object.values(helpers)) as Reader
  } catch {
    return undefined
  }
}

function sourceOf(fields: readonly Field[]): string {
  const lengths = [...new Set(fields.map(({ name }) => name.length))]
  const cases = lengths.map((length) => {
    const same = fields.flatMap((field, v) => (field.name.length === length ? [branch(field, v)] : []))
    return `case ${length}:\n${same.join(' else ')} else i = skipValue(b, i, end)\nbreak`
  })
  const missing = fields.flatMap(({ optional }, v) => (optional ? [] : [`v${v} === undefined`]))
  const result = fields.map(({ name, optional }, v) => `${name}: v${v}${optional ? ' ?? null' : ''}`)
  return `function read(b, start, end) {
  let ${fields.map((_, v) => `v${v}`).join(', ')}
  let c = 0, s = 0, high = 0
  takeHigh()
  let i = skipSpace(b, start, end)
  if (b[i] !== 0x7b) return undefined
  i = skipSpace(b, i + 1, end)
  if (b[i] !== 0x7d) for (;;) {
    if (b[i] !== 0x22) return undefined
    const k = i + 1
    i = skipString(b, k, end)
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
  i = skipSpace(b, i + 1, end)
  if (i !== end${missing.map((test) => ` || ${test}`).join('')}) return undefined
  high |= takeHigh()
  if (high !== 0 && !isUtf8(b.subarray(start, end))) return undefined
  return { ${result.join(', ')} }
}`
}

/** If the key at `k` is the field's, its value at `i` goes into v<n>, and `i` behind it. */
function branch({ name, type, optional }: Field, n: number): string {
  const same = [...name].map((char, at) => `b[k + ${at}] === ${char.charCodeAt(0)}`).join(' && ')
  const plain = readers[type](`v${n}`)
  // A null that was written over an earlier value of the same name is the last word.
  const nullable = optional ? `if (b[i] === 0x6e) { i = skipWord(b, i, end, 'null'); v${n} = null } else ` : ''
  return `if (${same}) { ${nullable}{ ${plain} } }`
}

const readers: Readonly<Record<JsonFieldType, (v: string) => string>> = {
  string: (v) => `
    if (b[i] !== 0x22) return undefined
    s = ++i
    high |= takeHigh()
    i = skipString(b, s, end)
    if (i < 0) return undefined
    if (takeHigh() === 0) ${v} = b.latin1Slice(s, i)
    else { high = 1; ${v} = b.utf8Slice(s, i) }
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
