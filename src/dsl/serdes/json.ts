import { BuiltInSerde } from './fast.ts'
import { undecodable, unencodable } from './refuse.ts'
import { readUtf8 } from './scalars.ts'
import { checkedSchema, validate } from './schema.ts'
import type { StandardSchema } from './types.ts'

/** JSON text in UTF-8. A schema sees what is read, not what is written: that has its type already. */
export class JsonSerde<T> extends BuiltInSerde<T> {
  readonly ordered = false
  override readonly plainJson: boolean
  readonly #schema: StandardSchema<T> | undefined

  constructor(schema?: StandardSchema<T>) {
    super()
    this.#schema = checkedSchema(schema)
    this.plainJson = schema === undefined
  }

  text(value: T, topic = 'A JSON serde'): string {
    let text: string | undefined
    try {
      text = JSON.stringify(value)
    } catch (cause) {
      throw unencodable(topic, value, 'what JSON can hold', cause)
    }
    if (text === undefined) throw unencodable(topic, value, 'what JSON can hold')
    return text
  }

  serialize(value: T, topic: string): Uint8Array {
    return Buffer.from(this.text(value, topic))
  }

  read(buf: Buffer, start: number, end: number, topic: string): T {
    const text = readUtf8(buf, start, end, topic, 'JSON in UTF-8')
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw undecodable(topic, buf, start, end, 'JSON', cause)
    }
    return this.#schema === undefined ? (value as T) : validate(this.#schema, value, topic)
  }
}
