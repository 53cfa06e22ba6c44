import { decodeWholeKey, KeyWriter } from '../../state/codec/index.ts'
import { tagEnd, tagTuple } from '../../state/codec/key-tags.ts'
import { KeySerde } from './fast.ts'
import { undecodable, unencodable } from './refuse.ts'
import type { OrderedSerde } from './types.ts'

type Part = OrderedSerde<unknown>

/**
 * Several ordered keys as one, ordered by the first, then by the second, and so on. The bytes are those of the ordered key codec
 * (60, each part with its type, 00: src/state/codec/key-tags.ts); a part with an ordered serde of the user's own is its bytes, as
 * a part of type bytes.
 */
export class TupleSerde extends KeySerde<readonly unknown[]> {
  override readonly typedKey: boolean
  readonly #parts: readonly Part[]
  readonly #writer = new KeyWriter()

  constructor(parts: readonly Part[]) {
    super()
    this.#parts = parts
    this.typedKey = parts.every((part) => part instanceof KeySerde && part.typedKey)
  }

  serialize(value: readonly unknown[], topic: string): Uint8Array {
    this.writePart(this.#writer.reset(), value, topic)
    return this.#writer.copy()
  }

  read(buf: Buffer, start: number, end: number, topic: string): readonly unknown[] {
    let found: unknown
    try {
      found = decodeWholeKey(buf.subarray(start, end))
    } catch (cause) {
      throw undecodable(topic, buf, start, end, this.#expected, cause)
    }
    const value = this.fromPart(found, topic)
    if (value === undefined) throw undecodable(topic, buf, start, end, this.#expected)
    return value
  }

  writePart(writer: KeyWriter, value: readonly unknown[], topic: string): void {
    const parts = this.#parts
    if (!Array.isArray(value) || value.length !== parts.length) throw unencodable(topic, value, this.#expected)
    writer.byte(tagTuple)
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Part
      if (part instanceof KeySerde) part.writePart(writer, value[i], topic)
      else writer.bytes(part.serialize(value[i], topic))
    }
    writer.byte(tagEnd)
  }

  fromPart(found: unknown, topic: string): readonly unknown[] | undefined {
    if (!Array.isArray(found) || found.length !== this.#parts.length) return undefined
    const value: unknown[] = []
    for (let i = 0; i < found.length; i++) {
      const part = readPart(this.#parts[i] as Part, found[i], topic)
      if (part === undefined) return undefined
      value.push(part)
    }
    return value
  }

  get #expected(): string {
    return `a tuple of ${this.#parts.length} parts of the types of its serdes`
  }
}

function readPart(part: Part, found: unknown, topic: string): unknown {
  if (part instanceof KeySerde) return part.fromPart(found, topic)
  return found instanceof Uint8Array ? part.deserialize(found, topic) : undefined
}
