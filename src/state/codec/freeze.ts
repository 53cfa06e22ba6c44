import { types } from 'node:util'

/**
 * Freezes objects and arrays, all the way down, also inside of Map and Set. Map, Set, Date, typed arrays and buffers themselves
 * cannot be frozen: take a `fingerprint` of these. Cycles do no harm.
 */
export function deepFreeze<T>(value: T): T {
  walk(value, new Set(), (part) => {
    if (!isUnfreezable(part)) Object.freeze(part)
  })
  return value
}

/** What the parts that cannot be frozen held; compare two with `sameFingerprint`. */
export type Fingerprint = readonly unknown[]

/** Of a value after `deepFreeze`; undefined if all of it is frozen. */
export function fingerprint(value: unknown): Fingerprint | undefined {
  const held: unknown[] = []
  walk(value, new Set(), (part) => {
    if (!isUnfreezable(part)) return
    held.push(part)
    if (types.isDate(part)) held.push(part.getTime())
    else if (types.isMap(part)) for (const entry of part) held.push(...entry)
    else if (types.isSet(part)) for (const entry of part) held.push(entry)
    else held.push(bytesOf(part as ArrayBufferView | ArrayBufferLike))
  })
  return held.length === 0 ? undefined : held
}

export function sameFingerprint(before: Fingerprint | undefined, after: Fingerprint | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  return before.length === after.length && before.every((part, i) => Object.is(part, after[i]))
}

function walk(value: unknown, seen: Set<object>, visit: (part: object) => void): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  visit(value)
  if (types.isMap(value)) {
    for (const [key, part] of value) {
      walk(key, seen, visit)
      walk(part, seen, visit)
    }
  } else if (types.isSet(value)) for (const part of value) walk(part, seen, visit)
  else if (!ArrayBuffer.isView(value)) for (const part of Object.values(value)) walk(part, seen, visit)
}

function isUnfreezable(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value)
  )
}

const bytesOf = (part: ArrayBufferView | ArrayBufferLike): string =>
  ArrayBuffer.isView(part)
    ? Buffer.from(part.buffer, part.byteOffset, part.byteLength).latin1Slice()
    : Buffer.from(part).latin1Slice()
