/** Nodes that are looked at; of what lies beyond, the mean of what was seen is assumed. */
const mostNodes = 256
let nodes = 0

/** About how many bytes a value takes when it is encoded; what is large is guessed from its beginning. */
export function roughBytes(value: unknown): number {
  nodes = mostNodes
  return measure(value)
}

function measure(value: unknown): number {
  nodes--
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 6
  if (ArrayBuffer.isView(value)) return value.byteLength + 5
  if (Array.isArray(value)) return 3 + some(value, value.length)
  if (value instanceof Map) return 3 + some(value, value.size)
  if (value instanceof Set) return 3 + some(value, value.size)
  let bytes = 3
  let seen = 0
  for (const name in value) {
    if (nodes <= 0) return (bytes * Object.keys(value).length) / Math.max(1, seen)
    bytes += name.length + 1 + measure((value as Record<string, unknown>)[name])
    seen++
  }
  return bytes
}

function some(items: Iterable<unknown>, count: number): number {
  let bytes = 0
  let seen = 0
  for (const item of items) {
    if (nodes <= 0) break
    bytes += measure(item)
    seen++
  }
  return seen === 0 ? 6 * count : (bytes * count) / seen
}
