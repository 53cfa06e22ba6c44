import type * as Protobuf from 'protobufjs'
import { DhaaraError } from '../../errors/index.ts'
import { requirePeer } from '../options/index.ts'
import type { Decode, Encode, Format } from './format.ts'
import type { RawSchema, ResolvedSchema, SchemaReference } from './requests.ts'
import { encodeIndexes, readIndexes } from './wire.ts'

export interface ProtobufFormat {
  /** A `.proto` file's text: what is written, and what is read as. Absent: each record is read as it was written. */
  readonly schema?: string
  /** Which message of the schema is written, `package.Message`; default: its first. */
  readonly message?: string
  /** Files of other subjects that the schema imports. */
  readonly references?: readonly SchemaReference[]
  /** What 64-bit integers are here; default 'number', which is exact to 2^53. */
  readonly longs?: 'number' | 'bigint' | 'string'
  /** Names of fields as in the file; default: in camelCase. */
  readonly keepCase?: boolean
  /** Fields that are not there are set to their defaults; default: true. */
  readonly defaults?: boolean
}

const longTypes = { number: Number, bigint: BigInt, string: String } as const

/** Protocol Buffers, by `protobufjs`. Values are plain objects, enums their names. */
export function protobufFormat(given: ProtobufFormat): Format {
  const { schema, message, references = [], longs = 'number', keepCase = false, defaults = true } = given
  const protobuf = requirePeer<typeof Protobuf>('protobufjs', 'schemaRegistry().protobuf')
  const own: RawSchema | undefined = schema === undefined ? undefined : { schema, type: 'PROTOBUF', references }
  const shape = { longs: longTypes[longs] as never, enums: String, defaults, arrays: defaults, objects: defaults }
  const load = (one: ResolvedSchema): Messages => new Messages(protobuf, one, keepCase)
  return {
    type: 'PROTOBUF',
    own,
    nameOf: (one) => load(one).named(message)[0],
    decoder(writer, reader) {
      const messages = load(reader ?? writer)
      const asOwn = reader === undefined ? undefined : messages.named(message)[1]
      return decode(asOwn === undefined ? (indexes) => messages.at(indexes) : () => asOwn, shape)
    },
    encoder(one) {
      const messages = load(one)
      const [name, type] = messages.named(message)
      return encode(type, encodeIndexes(messages.indexesOf(name)))
    },
  }
}

/** Messages of a file, by name and by where they stand in it. */
class Messages {
  private readonly root: Protobuf.Root
  private readonly names: readonly Named[]

  constructor(protobuf: typeof Protobuf, { schema, resolved }: ResolvedSchema, keepCase: boolean) {
    const options = { keepCase }
    this.root = new protobuf.Root()
    for (const one of resolved) protobuf.parse(one.schema, this.root, options)
    // the file alone, in its order: other files add to the same packages
    const alone = new protobuf.Root()
    const { package: space, imports } = protobuf.parse(schema, alone, options)
    protobuf.parse(schema, this.root, options)
    for (const file of [...(imports ?? []), ...resolved.flatMap((one) => importsOf(protobuf, one.schema))]) {
      const common = protobuf.common.get(file)
      if (common?.nested !== undefined && this.root.lookup(wellKnown(file)) === null) this.root.addJSON(common.nested)
    }
    this.root.resolveAll()
    const top = space === undefined ? alone : (alone.lookup(space) as Protobuf.Namespace)
    this.names = messagesIn(protobuf, top)
  }

  /** @throws DhaaraError DHAARA_OPTION */
  named(wanted: string | undefined): readonly [string, Protobuf.Type] {
    const all = flatten(this.names)
    const found = wanted === undefined ? all[0] : all.find((name) => name === wanted || name.endsWith(`.${wanted}`))
    if (found !== undefined) return [found, this.root.lookupType(found)]
    const there = all.join(', ') || 'no message'
    throw new DhaaraError('DHAARA_OPTION', `the schema has no message '${wanted ?? ''}'; it has ${there}`)
  }

  indexesOf(wanted: string, among: readonly Named[] = this.names): number[] {
    const at = among.findIndex(({ name }) => name === wanted || wanted.startsWith(`${name}.`))
    const found = among[at]
    if (found === undefined) return []
    return found.name === wanted ? [at] : [at, ...this.indexesOf(wanted, found.inside)]
  }

  /** @throws DhaaraError DHAARA_DESERIALIZE */
  at(indexes: readonly number[]): Protobuf.Type {
    let among = this.names
    let found: Named | undefined
    for (const index of indexes) {
      found = among[index]
      among = found?.inside ?? []
    }
    if (found !== undefined) return this.root.lookupType(found.name)
    const message = `the schema has no message at the indexes ${indexes.join(', ')}`
    throw new DhaaraError('DHAARA_DESERIALIZE', message)
  }
}

interface Named {
  readonly name: string
  readonly inside: readonly Named[]
}

const messagesIn = (protobuf: typeof Protobuf, space: Protobuf.NamespaceBase): Named[] =>
  space.nestedArray
    .filter((one) => one instanceof protobuf.Type)
    .map((type) => ({ name: type.fullName.replace(/^\./, ''), inside: messagesIn(protobuf, type) }))

const flatten = (all: readonly Named[]): string[] => all.flatMap(({ name, inside }) => [name, ...flatten(inside)])

const importsOf = (protobuf: typeof Protobuf, schema: string): readonly string[] =>
  protobuf.parse(schema, new protobuf.Root()).imports ?? []

/** A type that the file of this name has, for those that come with Protocol Buffers. */
function wellKnown(file: string): string {
  const name = file.replace(/^.*\//, '').replace('.proto', '')
  const types: Record<string, string> = { wrappers: 'StringValue', struct: 'Struct', field_mask: 'FieldMask' }
  return `google.protobuf.${types[name] ?? name.charAt(0).toUpperCase() + name.slice(1)}`
}

function decode(typeOf: (indexes: readonly number[]) => Protobuf.Type, shape: Protobuf.IConversionOptions): Decode {
  return (bytes, start, end, topic) => {
    const [indexes, at] = readIndexes(bytes, start, end, topic)
    const type = typeOf(indexes)
    return type.toObject(type.decode(bytes.subarray(at, end)), shape)
  }
}

function encode(type: Protobuf.Type, prefix: Uint8Array): Encode {
  return {
    prefix,
    encode(value, header) {
      const written = type.encode(type.fromObject(value as object)).finish()
      return Buffer.concat([header, written], header.length + written.length)
    },
  }
}
