/** JSON of anything that serdes give: what JSON does not have is told as text, lists or objects. */
export function toJson(value: unknown): string {
  try {
    // without a replacer it takes a fifth of the time
    return JSON.stringify(value, isPlain(value, 0) ? undefined : replacer) ?? 'null'
  } catch {
    return JSON.stringify(String(value))
  }
}

/** Nested deeper, it may refer to itself. */
const deepest = 8

/** Nothing in it is told in another way than JSON has it. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object') return typeof value !== 'bigint'
  if (value === null) return true
  if (depth === deepest) return false
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item, depth + 1)) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const name in value) if (!isPlain((value as Record<string, unknown>)[name], depth + 1)) return false
  // as a Buffer tells itself
  return !('data' in value && 'type' in value)
}

function replacer(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') }
  if (isBufferJson(value)) return { base64: Buffer.from(value.data).toString('base64') }
  return value
}

/** `Buffer.toJSON` comes before the replacer. */
const isBufferJson = (value: object): value is { readonly type: 'Buffer'; readonly data: number[] } =>
  'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data)
