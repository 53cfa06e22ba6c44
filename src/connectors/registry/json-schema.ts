import type { Ajv, ValidateFunction } from 'ajv'
import { DhaaraError } from '../../errors/index.ts'
import { requirePeer } from '../options/index.ts'
import type { Format } from './format.ts'
import type { RawSchema, ResolvedSchema, SchemaReference } from './requests.ts'

export interface JsonSchemaFormat {
  /** What values are held to. Absent: those that are read are held to their writer's, `schemas: 'latest'` says what is written. */
  readonly schema?: object | string
  /** Schemas of other subjects that the schema names by `$ref`. */
  readonly references?: readonly SchemaReference[]
  /** false: values go in and out as they are. Default: true. */
  readonly validate?: boolean
}

/** JSON text that a JSON Schema describes, validated by `ajv`. */
export function jsonSchemaFormat({ schema, references = [], validate = true }: JsonSchemaFormat): Format {
  const what = 'schemaRegistry().json'
  if (validate) requirePeer('ajv', what)
  const own: RawSchema | undefined =
    schema === undefined
      ? undefined
      : { schema: typeof schema === 'string' ? schema : JSON.stringify(schema), type: 'JSON', references }
  const check = (given: ResolvedSchema): ((value: unknown, where: string) => void) => {
    if (!validate) return () => {}
    const compiled = compile(given, what)
    return (value, where) => {
      if (!compiled(value)) throw refused(compiled, where)
    }
  }
  return {
    type: 'JSON',
    own,
    nameOf: ({ schema: text }) => (JSON.parse(text) as { title?: string }).title ?? 'record',
    decoder(writer, reader) {
      const valid = check(reader ?? writer)
      return (bytes, start, end, topic) => {
        const value = JSON.parse(bytes.toString('utf8', start, end)) as unknown
        valid(value, topic)
        return value
      }
    },
    encoder(given) {
      const valid = check(given)
      return {
        encode(value, header) {
          valid(value, 'what is to be written')
          const text = JSON.stringify(value)
          const bytes = Buffer.allocUnsafe(header.length + Buffer.byteLength(text))
          header.copy(bytes)
          bytes.write(text, header.length)
          return bytes
        },
      }
    },
  }
}

function compile({ schema, resolved }: ResolvedSchema, what: string): ValidateFunction {
  const parsed = JSON.parse(schema) as { readonly $schema?: string }
  const ajv = makeAjv(parsed.$schema ?? '', what)
  for (const one of resolved) ajv.addSchema(JSON.parse(one.schema), one.name)
  return ajv.compile(parsed)
}

/** Drafts that differ in what words mean. */
function makeAjv(draft: string, what: string): Ajv {
  const year = ['2019-09', '2020-12'].find((one) => draft.includes(one))?.slice(0, 4)
  const { default: Made } = requirePeer<{ default: typeof Ajv }>(
    year === undefined ? 'ajv' : `ajv/dist/${year}.js`,
    what,
  )
  // schemas of others have words and formats that ajv does not know
  return new Made({ strict: false, validateFormats: false, logger: false })
}

function refused({ errors }: ValidateFunction, where: string): DhaaraError {
  const found = (errors ?? []).map(({ instancePath, message }) => `${instancePath || 'the value'} ${message}`)
  return new DhaaraError('DHAARA_SCHEMA', `${where}: refused by its JSON Schema: ${found.join('; ')}`)
}
