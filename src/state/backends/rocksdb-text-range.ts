import type { TextBlock } from '../backend.ts'
import type { Binding, NativeDatabase, NativeEncoding, NativeRange } from './rocksdb-binding.ts'
import { RocksRange } from './rocksdb-range.ts'
import { enter, leave } from './shared-handle.ts'

/** Writes come in batches, some time apart: twice between two of them is rare, three times is chance enough. */
const tries = 3
const replaced = '\ufffd'
/** Most blocks whose values are read as bytes before texts are tried again. */
const mostPatience = 64

/**
 * Blocks of a range with keys as texts, and values too if they are said to be: a Buffer costs ten times what a text of ASCII does.
 * Further iterators over the same rows give bytes where a text would not come back as it was. All see one state, since nothing was
 * written between their openings; else there is one of bytes alone.
 */
export function textBlocks(
  native: Binding,
  db: NativeDatabase,
  path: string,
  gate: Int32Array,
  range: NativeRange | undefined,
  values: boolean,
): IterableIterator<TextBlock, undefined> {
  const open = (key: NativeEncoding, value: NativeEncoding): RocksRange =>
    new RocksRange(native, db, path, gate, range && { ...range, keyEncoding: key, valueEncoding: value })
  const writes = (): number => {
    enter(gate)
    try {
      return native.db_get_latest_sequence(db)
    } finally {
      leave(gate)
    }
  }
  if (range === undefined || range.reverse || range.limit >= 0) return open('buffer', 'buffer').blocks()
  for (let i = 0; i < tries; i++) {
    const before = writes()
    const bytes = [open('buffer', 'buffer'), open('utf8', 'buffer')]
    const texts = values ? [open('buffer', 'utf8'), open('utf8', 'utf8')] : []
    if (writes() === before) return new TextBlocks([...bytes, ...texts])
    for (const one of [...bytes, ...texts]) one.return()
  }
  return open('buffer', 'buffer').blocks()
}

/** Keys as texts, in the number of a way to read. */
const KEYS = 1
const VALUES = 2

class TextBlocks implements IterableIterator<TextBlock, undefined> {
  /** Of rows as bytes, with keys as texts, with values as texts, with both. */
  readonly #ways: readonly RocksRange[]
  /** Those of all ways that rows can be read in still. */
  #good: number
  #way: number
  /** Blocks that are read before values are tried as texts again, and how many they are after the next that are none. */
  #wait = 0
  #patience = 1
  /** The last key that was given. */
  #last: string | Uint8Array | undefined

  constructor(ways: readonly RocksRange[]) {
    this.#ways = ways
    this.#good = ways.length - 1
    this.#way = this.#good
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<TextBlock, undefined> {
    if (this.#way < this.#good && --this.#wait < 0) this.#turnTo(this.#good)
    for (;;) {
      const { done, value } = (this.#ways[this.#way] as RocksRange).blocks().next()
      if (done) return this.return()
      const lost = lostIn(value, this.#way)
      if (lost === 0) {
        if ((this.#way & VALUES) !== 0 && this.#patience > 1) this.#patience >>= 1
        this.#last = value[value.length - 2] as string | Uint8Array
        return { done: false, value }
      }
      if ((lost & VALUES) !== 0) {
        this.#wait = this.#patience
        this.#patience = Math.min(mostPatience, 2 * this.#patience)
      }
      // what was read is at its end, and cannot be gone back to
      this.#good &= (this.#ways[this.#way] as RocksRange).ended ? this.#way & ~lost : ~(lost & KEYS)
      this.#turnTo(this.#way & ~lost)
    }
  }

  return(): IteratorResult<TextBlock, undefined> {
    for (const way of this.#ways) way.return()
    return { done: true, value: undefined }
  }

  /** Goes on behind the last key. */
  #turnTo(way: number): void {
    this.#way = way
    const last = this.#last
    if (last === undefined) return
    // a key and a zero byte: the first that can follow it
    const next = typeof last === 'string' ? Buffer.from(`${last}\0`) : Buffer.concat([last, Buffer.of(0)])
    ;(this.#ways[way] as RocksRange).seek(next)
  }
}

/** What of a block, read as texts, does not come back as it was. */
const lostIn = (block: TextBlock, way: number): number =>
  (hasReplaced(block, 0, way & KEYS) ? KEYS : 0) | (hasReplaced(block, 1, way & VALUES) ? VALUES : 0)

function hasReplaced(block: TextBlock, from: number, texts: number): boolean {
  if (texts === 0) return false
  // `includes` takes twice as long
  for (let i = from; i < block.length; i += 2) if ((block[i] as string).indexOf(replaced) >= 0) return true
  return false
}
