import { septetHead, septetMark, septets as tags } from '../../../state/codec/index.ts'
import type { ColumnBuilder } from './column.ts'

const double = new Float64Array(1)
/** Lower half first, on machines that are little-endian. */
const halves = new Uint32Array(double.buffer)

/** Writes values in septets (septet-types.ts), each of them a text, into columns. */
export class SeptetCells {
  private readonly columns: readonly ColumnBuilder[]
  /** Property names as they lie; undefined: the value is one column. */
  private readonly names: readonly string[] | undefined
  private at = 0

  /** @param columns with names of 1 to 31 ASCII characters, where values are objects @param objects they are */
  constructor(columns: readonly ColumnBuilder[], objects: boolean) {
    this.columns = columns
    this.names = objects ? columns.map(({ name }) => String.fromCharCode(name.length) + name) : undefined
  }

  /**
   * @param units characters of the value are those of its texts; else they are its bytes
   * @returns false: the row is not as the columns are, and has to be written by its values
   */
  write(row: number, value: string, units: boolean): boolean {
    if (value.charCodeAt(0) !== septetMark) return false
    const { columns, names } = this
    this.at = septetHead
    if (names === undefined)
      return this.cell(row, columns[0] as ColumnBuilder, value, units) && this.at === value.length
    if (value.charCodeAt(this.at++) !== (tags.tagObject | names.length)) return false
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      const from = this.at
      for (let k = 0; k < name.length; k++) if (value.charCodeAt(from + k) !== name.charCodeAt(k)) return false
      this.at = from + name.length
      if (!this.cell(row, columns[i] as ColumnBuilder, value, units)) return false
    }
    return this.at === value.length
  }

  private cell(row: number, column: ColumnBuilder, value: string, units: boolean): boolean {
    const tag = value.charCodeAt(this.at++)
    if (tag === tags.tagNull || tag === tags.tagUndefined) {
      column.missing(row)
      return true
    }
    switch (column.kind) {
      case 'number':
        return this.number(row, column, value, tag)
      case 'text':
        return this.text(row, column, value, tag, units)
      case 'time':
        if (tag !== tags.tagDate) return false
        column.time(row, this.seven(value))
        return true
      case 'boolean':
        if (tag !== tags.tagTrue && tag !== tags.tagFalse) return false
        column.boolean(row, tag === tags.tagTrue)
        return true
      case 'json':
        return false
    }
  }

  private number(row: number, column: ColumnBuilder, value: string, tag: number): boolean {
    if (tag >= tags.tagSmall && tag < 0x80) column.number(row, tag - tags.tagSmall)
    else if (tag === tags.tagWhole2) column.number(row, this.two(value))
    else if (tag === tags.tagWhole4) column.number(row, this.four(value))
    else if (tag === tags.tagWhole5) column.number(row, this.five(value))
    else if (tag === tags.tagWhole7) column.number(row, this.seven(value))
    else if (tag === tags.tagLess2) column.number(row, -1 - this.two(value))
    else if (tag === tags.tagLess5) column.number(row, -1 - this.five(value))
    else if (tag === tags.tagDouble) column.number(row, this.double(value, 0))
    else if (tag === tags.tagNegative) column.number(row, this.double(value, 0x80000000))
    else return false
    return true
  }

  private text(row: number, column: ColumnBuilder, value: string, tag: number, units: boolean): boolean {
    let length = tag
    if (tag > tags.mostShortText) {
      if (tag === tags.tagAscii) length = value.charCodeAt(this.at++)
      else if (tag === tags.tagLongAscii) length = this.five(value)
      else if (!units) return false
      else if (tag === tags.tagText) {
        length = value.charCodeAt(this.at + 1)
        this.at += 2
      } else if (tag === tags.tagLongText) {
        this.five(value)
        length = this.five(value)
      } else return false
    }
    const from = this.at
    this.at = from + length
    return this.at <= value.length && column.part(row, value, from, this.at, 0)
  }

  private two(value: string): number {
    const { at } = this
    this.at = at + 2
    return (value.charCodeAt(at) << 7) | value.charCodeAt(at + 1)
  }

  private four(value: string): number {
    const { at } = this
    this.at = at + 4
    return (
      (value.charCodeAt(at) << 21) |
      (value.charCodeAt(at + 1) << 14) |
      (value.charCodeAt(at + 2) << 7) |
      value.charCodeAt(at + 3)
    )
  }

  private five(value: string): number {
    return value.charCodeAt(this.at++) * tags.endOf4 + this.four(value)
  }

  private seven(value: string): number {
    const high = (value.charCodeAt(this.at++) << 14) | this.two(value)
    return high * tags.endOf4 + this.four(value)
  }

  private double(value: string, sign: number): number {
    const high = this.four(value)
    const middle = value.charCodeAt(this.at++)
    halves[0] = ((middle & 0x0f) << 28) | this.four(value)
    halves[1] = sign | (high << 3) | (middle >>> 4)
    return double[0] as number
  }
}
