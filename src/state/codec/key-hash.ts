import { randomInt } from 'node:crypto'
import { keyId } from './keys.ts'

/** Of this thread alone: who chooses keys shall not choose which of them collide. Hashes are never stored. */
const start = randomInt(2 ** 32) | 0
const prime = 0x01000193
const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

/**
 * 32 bits of a key: equal keys, equal hashes. Texts, numbers and tuples of them are not encoded for it.
 *
 * @throws DhaaraError DHAARA_SERIALIZE for what is no key
 */
export function hashKey(key: unknown): number {
  if (typeof key === 'string') return hashText(key)
  if (typeof key === 'number' && key === key) return mix(addNumber(start, key))
  if (!Array.isArray(key)) return hashId(keyId(key))
  let hash = start
  for (let i = 0; i < key.length; i++) {
    const part: unknown = key[i]
    if (typeof part === 'string') hash = addText(Math.imul(hash, prime), part)
    else if (typeof part === 'number' && part === part) hash = addNumber(Math.imul(hash, prime), part)
    else return hashId(keyId(key))
    hash = Math.imul(hash ^ (hash >>> 15), prime)
  }
  return mix(hash)
}

/** Of what `keyId` gives. */
export function hashId(id: string | number): number {
  return typeof id === 'string' ? hashText(id) : mix(addNumber(start, id))
}

/** Whether two keys have the same bytes. Both must be keys. */
export function sameKey(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (!Array.isArray(a) || !Array.isArray(b)) return keyId(a) === keyId(b)
  const { length } = a
  if (length !== b.length) return false
  for (let i = 0; i < length; i++) {
    if (a[i] === b[i]) continue
    return typeof a[i] === 'object' && typeof b[i] === 'object' && keyId(a) === keyId(b)
  }
  return true
}

/** FNV-1a over UTF-16 units, begun by chance and mixed. */
function hashText(text: string): number {
  return mix(addText(start, text))
}

function addText(hash: number, text: string): number {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), prime)
  return hash
}

/** 0 and -0 are one key. */
function addNumber(hash: number, value: number): number {
  if ((value | 0) === value) return (value | 0) ^ hash
  double[0] = value
  return Math.imul(mix((halves[0] as number) ^ hash), prime) ^ (halves[1] as number)
}

/** The last steps of MurmurHash3: each bit of what goes in changes half of what comes out. */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
