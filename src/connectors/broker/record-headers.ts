import type { RecordHeadersInit } from './broker.ts'
import type { RecordHeaders } from './log.ts'

/** Headers as bytes; undefined if there are none. */
export function encodeHeaders(init: RecordHeadersInit | undefined): RecordHeaders | undefined {
  if (init === undefined) return undefined
  const pairs = Symbol.iterator in init ? init : Object.entries(init)
  const headers: [string, Uint8Array][] = []
  for (const [name, value] of pairs) headers.push([name, typeof value === 'string' ? Buffer.from(value) : value])
  return headers.length === 0 ? undefined : headers
}

const none: Readonly<Record<string, string>> = Object.freeze({})

/** As text by name; of several with one name the last. */
export function headersText(headers: RecordHeaders | undefined): Readonly<Record<string, string>> {
  if (headers === undefined) return none
  const texts: Record<string, string> = {}
  for (const [name, value] of headers)
    texts[name] = Buffer.from(value.buffer, value.byteOffset, value.length).toString()
  return texts
}
