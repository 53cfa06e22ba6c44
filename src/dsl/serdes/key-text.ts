import type { Serde } from './types.ts'

/**
 * What keys are written with where nobody says how, as in late outputs: a string as it is, bytes as they are, all else as
 * JSON. Read again, what looks like JSON of another type than string is that.
 *
 * @internal
 */
export const keyText: Serde<unknown> = {
  ordered: false,
  serialize(key) {
    if (key instanceof Uint8Array) return key
    return Buffer.from(typeof key === 'string' ? key : (JSON.stringify(key) ?? String(key)))
  },
  deserialize(bytes) {
    const text = Buffer.from(bytes).toString()
    if (!/^(?:[-[{0-9]|true$|false$)/.test(text)) return text
    try {
      return JSON.parse(text) as unknown
    } catch {
      return text
    }
  },
}
