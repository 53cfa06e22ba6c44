import { asBuffer, readOrderedDouble, septetMark, tagNumber, tagString } from '../../../state/codec/index.ts'
import type { StoreLayout } from '../layout.ts'
import type { ColumnBuilder } from './column.ts'
import { SeptetCells } from './septet-cells.ts'

/** Values begin behind their timestamp. */
const head = 8

/**
 * Writes rows of a store by key from their bytes, or the texts that these are, into columns: no object comes of what lies in the
 * order of the columns. What does not is left to the slow way: `write` says so, and the row is written again.
 */
export class RawCells {
  private readonly layout: StoreLayout
  private readonly key: ColumnBuilder
  private readonly columns: readonly ColumnBuilder[]
  /** Property names as they lie; undefined: the value is one column. */
  private readonly names: readonly Buffer[] | undefined
  private readonly septets: SeptetCells
  private at = 0

  private constructor(
    layout: StoreLayout,
    key: ColumnBuilder,
    columns: readonly ColumnBuilder[],
    names: readonly Buffer[] | undefined,
  ) {
    this.layout = layout
    this.key = key
    this.columns = columns
    this.names = names
    this.septets = new SeptetCells(columns, names !== undefined)
  }

  /** undefined: rows of this store, or these columns, are not for it. */
  static of(layout: StoreLayout, columns: readonly ColumnBuilder[]): RawCells | undefined {
    const [key, ...rest] = columns
    if (layout.values.plain !== true || layout.keys.serde !== undefined || key?.name !== 'key') return undefined
    if (rest.length === 1 && rest[0]?.name === 'value') return new RawCells(layout, key, rest, undefined)
    if (rest.length === 0 || rest.length > 15 || rest.some(({ name }) => !isPlain(name))) return undefined
    const names = rest.map(({ name }) => Buffer.from([0xa0 | name.length, ...Buffer.from(name)]))
    return new RawCells(layout, key, rest, names)
  }

  /**
   * @param prefix bytes of the key that are not its own
   * @returns false: the row is not as the columns are, and has to be written by its values
   */
  write(row: number, key: string | Uint8Array, prefix: number, value: string | Uint8Array): boolean {
    if (!(typeof key === 'string' ? this.writeTextKey(row, key, prefix) : this.writeKey(row, key, prefix))) return false
    if (typeof value === 'string') return this.septets.write(row, value, true)
    if (value[0] === septetMark) return this.septets.write(row, asBuffer(value).latin1Slice(), false)
    return (value[0] as number) < 0x80 && this.writeMessagePack(row, value)
  }

  private writeMessagePack(row: number, value: Uint8Array): boolean {
    const { columns, names } = this
    this.at = head
    if (names === undefined) return this.writeCell(row, columns[0] as ColumnBuilder, value) && this.at === value.length
    if (value[this.at++] !== (0x80 | names.length)) return false
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as Buffer
      const from = this.at
      for (let k = 0; k < name.length; k++) if (value[from + k] !== name[k]) return false
      this.at = from + name.length
      if (!this.writeCell(row, columns[i] as ColumnBuilder, value)) return false
    }
    return this.at === value.length
  }

  /** A key that came as a text: its tag and the zero at its end are characters. */
  private writeTextKey(row: number, text: string, prefix: number): boolean {
    const { key } = this
    const end = text.length - 1
    if (key.kind !== 'text' || text.charCodeAt(prefix) !== tagString || text.charCodeAt(end) !== 0) return false
    return key.part(row, text, prefix + 1, end, 2)
  }

  private writeKey(row: number, bytes: Uint8Array, prefix: number): boolean {
    const { key } = this
    const tag = bytes[prefix]
    const end = bytes.length - 1
    if (tag === tagString && key.kind === 'text' && bytes[end] === 0) return key.utf8(row, bytes, prefix + 1, end, 2)
    if (tag === tagNumber && key.kind === 'number') {
      key.number(row, readOrderedDouble(bytes, prefix + 1))
      return true
    }
    key.add(row, this.layout.keys.decode(bytes.subarray(prefix)))
    return false
  }

  private writeCell(row: number, column: ColumnBuilder, bytes: Uint8Array): boolean {
    const tag = bytes[this.at] as number
    if (tag === 0xc0) {
      this.at++
      column.missing(row)
      return true
    }
    if (column.kind === 'number') return this.writeNumber(row, column, bytes, tag)
    if (column.kind === 'text') return this.writeText(row, column, bytes, tag)
    if (column.kind !== 'boolean' || (tag !== 0xc2 && tag !== 0xc3)) return false
    this.at++
    column.boolean(row, tag === 0xc3)
    return true
  }

  private writeNumber(row: number, column: ColumnBuilder, bytes: Uint8Array, tag: number): boolean {
    const at = this.at + 1
    const byte = (i: number): number => bytes[at + i] as number
    let value: number
    let length = 0
    if (tag < 0x80) value = tag
    else if (tag >= 0xe0) value = tag - 0x100
    else if (tag === 0xcc) {
      value = byte(0)
      length = 1
    } else if (tag === 0xcd) {
      value = (byte(0) << 8) | byte(1)
      length = 2
    } else if (tag === 0xce || tag === 0xd2) {
      const word = (byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)
      value = tag === 0xce ? word >>> 0 : word
      length = 4
    } else if (tag === 0xcb) {
      value = (bytes as Buffer).readDoubleBE(at)
      length = 8
    } else return false
    this.at = at + length
    column.number(row, value)
    return this.at <= bytes.length
  }

  private writeText(row: number, column: ColumnBuilder, bytes: Uint8Array, tag: number): boolean {
    let start = this.at + 1
    let length: number
    if (tag >= 0xa0 && tag < 0xc0) length = tag & 0x1f
    else if (tag === 0xd9) length = bytes[start++] as number
    else if (tag === 0xda) {
      length = ((bytes[start] as number) << 8) | (bytes[start + 1] as number)
      start += 2
    } else return false
    const end = start + length
    if (end > bytes.length) return false
    this.at = end
    return column.utf8(row, bytes, start, end, 0)
  }
}

/** A property of this name is a column of this name, and its name lies in so many bytes. */
const isPlain = (name: string): boolean => /^[\x20-\x7e]{1,31}$/.test(name) && name !== 'value.key'
