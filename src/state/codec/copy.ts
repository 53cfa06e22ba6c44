import { types } from 'node:util'
import { DhaaraError } from '../../errors/index.ts'
import { deepestValue } from './value-types.ts'

/**
 * A deep copy of data: objects and arrays, Map, Set, Date, typed arrays. An instance of a class keeps its prototype and gets
 * copies of its own enumerable properties; private fields are not copied. What was reached twice is copied twice. Functions and
 * other built-in objects are shared with the original.
 *
 * @throws DhaaraError DHAARA_SERIALIZE for cycles
 */
export function copyValue<T>(value: T): T {
  return typeof value === 'object' && value !== null ? (copyObject(value, 0) as T) : value
}

function copyObject(value: object, depth: number): object {
  if (depth > deepestValue) {
    throw new DhaaraError(
      'DHAARA_SERIALIZE',
      `A value is cyclic, or nested deeper than ${deepestValue}; state cannot keep it`,
    )
  }
  if (Array.isArray(value)) {
    const copy = value.slice()
    for (let i = 0; i < copy.length; i++) copy[i] = copyPart(copy[i], depth)
    return copy
  }
  if (value.constructor === Object) return copyProperties({ ...value }, depth)
  return copyOther(value, depth)
}

// The spread copies a shape at once; only what is an object is written again.
function copyProperties(copy: object, depth: number): object {
  const properties = copy as Record<string, unknown>
  for (const name in properties) {
    const part = properties[name]
    if (typeof part === 'object' && part !== null) properties[name] = copyObject(part, depth + 1)
  }
  return copy
}

const copyPart = (part: unknown, depth: number): unknown =>
  typeof part === 'object' && part !== null ? copyObject(part, depth + 1) : part

function copyOther(value: object, depth: number): object {
  if (types.isDate(value)) return new Date(value)
  if (types.isMap(value)) {
    const copy = new Map<unknown, unknown>()
    for (const [key, part] of value) copy.set(copyPart(key, depth), copyPart(part, depth))
    return copy
  }
  if (types.isSet(value)) {
    const copy = new Set<unknown>()
    for (const part of value) copy.add(copyPart(part, depth))
    return copy
  }
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (types.isTypedArray(value)) return value.slice()
  if (types.isArrayBuffer(value)) return value.slice(0)
  if (Object.prototype.toString.call(value) !== '[object Object]') return value
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as object
  return copyProperties(Object.assign(copy, value), depth)
}
