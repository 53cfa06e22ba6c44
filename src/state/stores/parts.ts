import { readTime, type Sealer, type StoreSpace, writeTime } from './space.ts'
import { after, concat } from './space.ts'

/** Who keeps decoded state over a part table, and knows what changed. */
export interface PartClient {
  seal(sealer: Sealer, epoch: number): void
  /** Epochs up to this one are in the database. */
  written(epoch: number): void
  /** Says what is held, and what of it waits to be written. */
  measure(): void
  /** Lets go what there is no room for, if it is written. */
  trim(): void
  /** Keys with state, as it is now, in the order of their bytes. */
  liveKeys(): readonly unknown[]
  /** A key's state as it is now, as one row; undefined: it has none. */
  rowOf(key: unknown): Uint8Array | undefined
}

const HEAD = 0
const PART = 1
const TIMED = 2
const SHAPE = 3
const LOOSE = 4

/** Where a key's head lies. */
export const headRowKey = (prefix: Uint8Array, key: Uint8Array): Buffer => Buffer.concat([prefix, Buffer.of(HEAD), key])

/** Parts are those that the head tells of, or loose ones, of which it knows nothing. */
export type PartKind = 'part' | 'loose'

const kindOf = (kind: PartKind): number => (kind === 'loose' ? LOOSE : PART)

/** Where its parts lie; also those of longer keys that begin with this one. */
export function partRange(
  prefix: Uint8Array,
  key: Uint8Array,
  kind: PartKind,
): { readonly gte: Buffer; readonly lt: Buffer } {
  const gte = Buffer.concat([prefix, Buffer.of(kindOf(kind)), key])
  return { gte, lt: after(gte) }
}

/**
 * Rows of state that lies in parts: a head and numbered parts for each key, and rows by time. It keeps nothing in memory:
 * that is its client's. What is read is as of the last epoch that was written.
 *
 *     prefix | 0 | key          head
 *     prefix | 1 | key | u32    part
 *     prefix | 2 | time | u48   row of a time, in the order of coming
 *     prefix | 3                what the rows follow from
 *     prefix | 4 | key | u32    loose part: comes and goes without its key's head being written
 */
export class PartTable {
  readonly space: StoreSpace
  client: PartClient | undefined = undefined
  private epoch: number
  private scratch: Buffer = Buffer.alloc(0)
  private end = 0

  constructor(space: StoreSpace, epoch: number) {
    this.space = space
    this.epoch = epoch
  }

  /** The epoch that changes belong to. */
  get running(): number {
    return this.epoch
  }

  seal(sealer: Sealer): void {
    this.client?.seal(sealer, this.epoch++)
  }

  written(epoch: number): void {
    this.client?.written(epoch)
  }

  measure(): void {
    this.client?.measure()
  }

  trim(): void {
    this.client?.trim()
  }

  *heads(): Generator<readonly [key: unknown, row: Uint8Array]> {
    const gte = this.start(HEAD)
    for (const [key, row] of this.space.reader.range({ gte, lt: after(gte) }))
      yield [this.space.keys.decode(key.subarray(gte.length)), row]
  }

  head(key: unknown): Uint8Array | undefined {
    return this.space.reader.get(this.headKey(key))
  }

  /** All parts of a key. */
  parts(key: unknown): [part: number, row: Uint8Array][] {
    const gte = concat(this.start(PART), this.space.keys.encode(key))
    const rows = this.space.reader.collect({ gte, lt: after(gte) })
    const parts: [number, Uint8Array][] = []
    for (let i = 0; i < rows.length; i += 2) {
      const at = rows[i] as Uint8Array
      // of a longer key that begins with this one
      if (at.length !== gte.length + 4) continue
      parts.push([numberAt(at, gte.length), rows[i + 1] as Uint8Array])
    }
    return parts
  }

  /** All loose parts, key by key. */
  *loose(): Generator<readonly [key: unknown, part: number, row: Uint8Array]> {
    const gte = this.start(LOOSE)
    for (const [at, row] of this.space.reader.range({ gte, lt: after(gte) })) {
      const end = at.length - 4
      yield [this.space.keys.decode(Buffer.from(at.subarray(gte.length, end))), numberAt(at, end), row]
    }
  }

  /** Those of these parts that there are. */
  some(key: unknown, numbers: readonly number[], kind: PartKind): [part: number, row: Uint8Array][] {
    const rows =
      numbers.length === 1
        ? [this.space.reader.get(this.partKey(key, numbers[0] as number, kind))]
        : this.space.reader.getMany(numbers.map((number) => this.partKey(key, number, kind)))
    const parts: [number, Uint8Array][] = []
    for (const [i, row] of rows.entries()) if (row !== undefined) parts.push([numbers[i] as number, row])
    return parts
  }

  /** Rows by time, then in the order in which they came. */
  *timed(): Generator<readonly [time: number, seq: number, row: Uint8Array]> {
    const gte = this.start(TIMED)
    for (const [key, row] of this.space.reader.range({ gte, lt: after(gte) })) {
      const high = (key[gte.length + 8] as number) * 256 + (key[gte.length + 9] as number)
      yield [readTime(key, gte.length), high * 4294967296 + numberAt(key, gte.length + 10), row]
    }
  }

  get shape(): string | undefined {
    const row = this.space.reader.get(this.start(SHAPE))
    return row === undefined ? undefined : Buffer.from(row).toString()
  }

  shapeKey(): Buffer {
    return this.start(SHAPE)
  }

  headKey(key: unknown): Buffer {
    return concat(this.start(HEAD), this.space.keys.encode(key))
  }

  partKey(key: unknown, part: number, kind: PartKind): Buffer {
    const bytes = this.space.keys.encode(key)
    const start = this.start(kindOf(kind))
    const row = Buffer.allocUnsafe(start.length + bytes.length + 4)
    row.set(start, 0)
    row.set(bytes, start.length)
    row.writeUInt32BE(part, start.length + bytes.length)
    return row
  }

  /** Makes this the key that `part` and `headOfKey` are about. */
  begin(key: unknown): void {
    const bytes = this.space.keys.encode(key)
    const at = this.space.prefix.length + 1
    if (this.scratch.length < at + bytes.length + 4) this.scratch = Buffer.allocUnsafeSlow((at + bytes.length + 4) * 2)
    this.scratch.set(this.start(PART), 0)
    this.scratch.set(bytes, at)
    this.end = at + bytes.length
  }

  /** Key of a part's row, until the next call. */
  part(number: number, kind: PartKind): Buffer {
    this.scratch[this.space.prefix.length] = kindOf(kind)
    this.scratch.writeUInt32BE(number, this.end)
    return this.scratch.subarray(0, this.end + 4)
  }

  /** Key of the head's row, until the next call. */
  headOfKey(): Buffer {
    this.scratch[this.space.prefix.length] = HEAD
    return this.scratch.subarray(0, this.end)
  }

  timedKey(time: number, seq: number): Buffer {
    const start = this.start(TIMED)
    const row = Buffer.allocUnsafe(start.length + 14)
    row.set(start, 0)
    writeTime(row, time, start.length)
    row.writeUIntBE(seq, start.length + 8, 6)
    return row
  }

  private start(kind: number): Buffer {
    const { prefix } = this.space
    const start = Buffer.allocUnsafe(prefix.length + 1)
    start.set(prefix, 0)
    start[prefix.length] = kind
    return start
  }
}

const numberAt = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0)
