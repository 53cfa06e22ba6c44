import type { HeadersInit } from '../../dsl/records.ts'
import type { RawHeaders } from './record.ts'

const encoder = new TextEncoder()

/** What users give as headers, as they lie in frames. */
export function encodeHeaders(init: HeadersInit): RawHeaders {
  const pairs =
    Symbol.iterator in init ? [...(init as Iterable<readonly [string, string | Uint8Array]>)] : Object.entries(init)
  return pairs.map(([name, value]) => [name, typeof value === 'string' ? encoder.encode(value) : value] as const)
}
