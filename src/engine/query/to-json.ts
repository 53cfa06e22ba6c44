/** JSON of anything that serdes give: what JSON does not have is told as text, lists or objects. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, replacer) ?? 'null'
  } catch {
    return JSON.stringify(String(value))
  }
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
