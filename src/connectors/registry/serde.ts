import { DhaaraError } from '../../errors/index.ts'
import type { Serde } from '../../dsl/serdes/index.ts'
import type { Decode, Encode, Format } from './format.ts'
import { headerBytes, header, idAt } from './wire.ts'
import type { ResolvedSchema } from './requests.ts'
import type { Schemas } from './schemas.ts'

import type { SubjectOptions } from './subjects.ts'

interface Writer {
  readonly header: Buffer
  readonly encoder: Encode
}

/** Values behind the id of their schema. What it asks the registry for, it asks once. */
export class RegistrySerde<T> implements Serde<T> {
  readonly ordered = false
  /** State and repartitions have codecs of their own: their rows need no registry. */
  readonly topicsOnly = true
  private readonly format: Format
  private readonly schemas: Schemas
  private readonly options: SubjectOptions
  private readonly decoders = new Map<number, Decode>()
  private readonly writers = new Map<string, Writer>()
  private own: ResolvedSchema | undefined

  constructor(format: Format, schemas: Schemas, options: SubjectOptions) {
    this.format = format
    this.schemas = schemas
    this.options = options
  }

  serialize(value: T, topic: string): Uint8Array {
    const { encoder, header: head } = this.writers.get(topic) ?? this.writer(topic)
    try {
      return encoder.encode(value, head)
    } catch (cause) {
      if (cause instanceof DhaaraError) throw cause
      const message = `a value for '${topic}' does not fit its schema: ${cause instanceof Error ? cause.message : String(cause)}`
      throw new DhaaraError('DHAARA_SCHEMA', message, { cause })
    }
  }

  deserialize(bytes: Uint8Array, topic: string): T {
    const buf = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return this.read(buf, 0, buf.length, topic)
  }

  read(buf: Buffer, start: number, end: number, topic: string): T {
    const id = idAt(buf, start, end, topic)
    const decode = this.decoders.get(id) ?? this.decoder(id, topic)
    try {
      return decode(buf, start + headerBytes, end, topic) as T
    } catch (cause) {
      if (cause instanceof DhaaraError) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      const message = `${topic} has bytes that are not of the schema ${id}: ${why}`
      throw new DhaaraError('DHAARA_DESERIALIZE', message, { cause })
    }
  }

  /** Asks for what writing to a topic needs. */
  async prepareToWrite(topic: string): Promise<void> {
    if (this.writers.has(topic)) return
    await this.schemas.ready(this.format, this.options, topic)
    this.writer(topic)
  }

  /** Asks for what reading these records needs; undefined: nothing. A failure shows when they are read. */
  prepareToRead(
    data: Buffer,
    starts: Int32Array,
    ends: Int32Array,
    from: number,
    to: number,
  ): Promise<void> | undefined {
    let last = -1
    let missing: Set<number> | undefined
    for (let i = from; i < to; i++) {
      const start = starts[i] as number
      if (start < 0 || (ends[i] as number) - start < headerBytes || data[start] !== 0) continue
      const id = data.readInt32BE(start + 1)
      if (id === last) continue
      last = id
      if (!this.decoders.has(id) && !this.schemas.has(id)) (missing ??= new Set()).add(id)
    }
    const own = this.format.own !== undefined && this.own === undefined
    if (missing === undefined) return undefined
    const all: Promise<unknown>[] = [...missing].map((id) => this.schemas.fetch(id))
    if (own) all.push(this.schemas.resolve(this.format))
    return Promise.all(all).then(() => {})
  }

  private decoder(id: number, topic: string): Decode {
    const writer = this.schemas.byId(id)
    const { type } = this.format
    if (writer.type !== type)
      throw new DhaaraError(
        'DHAARA_DESERIALIZE',
        `${topic} has a record with the schema ${id}, which is of type ${writer.type}; expected ${type}`,
      )
    const made = this.made(writer, id)
    this.decoders.set(id, made)
    return made
  }

  private made(writer: ResolvedSchema, id: number): Decode {
    try {
      return this.format.decoder(writer, this.ownSchema())
    } catch (cause) {
      if (cause instanceof DhaaraError) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      const message = `records of the schema ${id} cannot be read as the schema that is given: ${why}. Give defaults to fields that were not there`
      throw new DhaaraError('DHAARA_SCHEMA', message, { cause })
    }
  }

  private ownSchema(): ResolvedSchema | undefined {
    this.own ??= this.format.own === undefined ? undefined : this.schemas.ownOf(this.format)
    return this.own
  }

  private writer(topic: string): Writer {
    const { id, schema } = this.schemas.toWrite(this.format, this.options, topic)
    let encoder: Encode
    try {
      encoder = this.format.encoder(schema)
    } catch (cause) {
      if (cause instanceof DhaaraError) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new DhaaraError('DHAARA_OPTION', `the schema for '${topic}' cannot be used: ${why}`, { cause })
    }
    const writer = { encoder, header: header(id, encoder.prefix) }
    this.writers.set(topic, writer)
    return writer
  }
}
