import { decodeValue, encodeValue } from '../../state/codec/index.ts'
import { BuiltInSerde } from './fast.ts'
import { undecodable, unencodable } from './refuse.ts'
import { checkedSchema, validate } from './schema.ts'
import type { StandardSchema } from './types.ts'

/** MessagePack, as state has it; a schema sees what is read. What it keeps: `encodeValue` in src/state/codec/values.ts. */
export class MsgpackSerde<T> extends BuiltInSerde<T> {
  readonly ordered = false
  readonly #schema: StandardSchema<T> | undefined

  constructor(schema?: StandardSchema<T>) {
    super()
    this.#schema = checkedSchema(schema)
  }

  /** For state: the bytes are those of its own values. @internal */
  get plainValue(): boolean {
    return this.#schema === undefined
  }

  override get keepsBytes(): boolean {
    return this.plainValue
  }

  serialize(value: T, topic: string): Uint8Array {
    try {
      return encodeValue(value)
    } catch (cause) {
      throw unencodable(topic, value, 'data', cause)
    }
  }

  read(buf: Buffer, start: number, end: number, topic: string): T {
    let value: unknown
    try {
      value = decodeValue(buf, start, end)
    } catch (cause) {
      throw undecodable(topic, buf, start, end, 'MessagePack', cause)
    }
    return this.#schema === undefined ? (value as T) : validate(this.#schema, value, topic)
  }
}
