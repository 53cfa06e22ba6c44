/** CSV as RFC 4180 has it: fields in quotes may hold delimiters, line breaks, and quotes that are doubled. */
import { DhaaraError } from '../../errors/index.ts'
import type { Splitter } from './read-lines.ts'

const quote = 0x22
const newline = 0x0a
const carriageReturn = 0x0d

/** Cuts bytes into records: at line breaks outside of quotes. */
export class CsvSplitter implements Splitter {
  private buf: Buffer = Buffer.alloc(0)
  private readonly delimiter: number
  /** So many bytes were looked at. */
  private at = 0
  private quoted = false
  /** The byte before; at first, as after a line break. */
  private before = newline

  constructor(delimiter: string) {
    this.delimiter = delimiter.charCodeAt(0)
  }

  get rest(): number {
    return this.buf.length
  }

  push(bytes: Uint8Array): void {
    this.buf = this.buf.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.buf, bytes])
  }

  take(record: (buf: Buffer, start: number, end: number) => void, consumed: (bytes: Buffer) => void): void {
    const { buf, delimiter } = this
    let start = 0
    for (; this.at < buf.length; this.at++) {
      const byte = buf[this.at] as number
      if (byte === quote) {
        // opens a field, closes one, or is the second of two
        const opens = this.before === delimiter || this.before === newline || this.before === quote
        if (this.quoted || opens) this.quoted = !this.quoted
      } else if (byte === newline && !this.quoted) {
        record(buf, start, this.at > start && buf[this.at - 1] === carriageReturn ? this.at - 1 : this.at)
        start = this.at + 1
      }
      this.before = byte
    }
    if (start === 0) return
    consumed(buf.subarray(0, start))
    this.buf = buf.subarray(start)
    this.at -= start
  }

  takeRest(record: (buf: Buffer, start: number, end: number) => void, consumed: (bytes: Buffer) => void): void {
    const { buf } = this
    if (buf.length === 0) return
    record(buf, 0, buf[buf.length - 1] === carriageReturn ? buf.length - 1 : buf.length)
    consumed(buf)
    this.buf = Buffer.alloc(0)
    this.at = 0
    this.quoted = false
    this.before = newline
  }
}

/** The fields of one record. @throws DhaaraError DHAARA_DESERIALIZE if quotes are not closed, or are followed by text */
export function fieldsOf(text: string, delimiter: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (text[at] !== '"') {
      const end = text.indexOf(delimiter, at)
      if (end < 0) {
        fields.push(text.slice(at))
        return fields
      }
      fields.push(text.slice(at, end))
      at = end + 1
      continue
    }
    let field = ''
    for (at++; ; at++) {
      const end = text.indexOf('"', at)
      if (end < 0) throw malformed(text, 'a field whose quotes are not closed')
      field += text.slice(at, end)
      at = end + 1
      if (text[at] !== '"') break
      field += '"'
    }
    fields.push(field)
    if (at === text.length) return fields
    if (text[at] !== delimiter) throw malformed(text, `'${text[at]}' behind a field in quotes`)
    at++
  }
}

const malformed = (text: string, found: string): DhaaraError =>
  new DhaaraError('DHAARA_DESERIALIZE', `no CSV: found ${found} in ${JSON.stringify(text.slice(0, 80))}`)

/** One field, in quotes where it needs them. Dates as ISO 8601, objects as JSON, null and undefined as nothing. */
export function fieldText(value: unknown, delimiter: string): string {
  if (value === null || value === undefined) return ''
  const text =
    typeof value === 'string'
      ? value
      : value instanceof Date
        ? value.toISOString()
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value as number)
  const plain = !text.includes(delimiter) && !/["\r\n]/.test(text) && text.trim() === text
  return plain ? text : `"${text.replaceAll('"', '""')}"`
}
