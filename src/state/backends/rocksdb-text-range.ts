import type { RowBlock, TextBlock } from '../backend.ts'
import type { Binding, NativeDatabase, NativeRange } from './rocksdb-binding.ts'
import { RocksRange } from './rocksdb-range.ts'
import { enter, leave } from './shared-handle.ts'

/** Writes come in batches, some time apart: twice between two of them is rare, three times is chance enough. */
const tries = 3
const replaced = '\ufffd'

/**
 * Blocks of a range with keys as texts: a Buffer costs several times what a text does. A second iterator over the same rows gives
 * bytes from the first key on that does not come back as it was; both see one state, since nothing was written between their
 * openings, or there is one of bytes alone.
 */
export function textBlocks(
  native: Binding,
  db: NativeDatabase,
  path: string,
  gate: Int32Array,
  range: NativeRange | undefined,
): IterableIterator<TextBlock, undefined> {
  const open = (keys: NativeRange | undefined): RocksRange => new RocksRange(native, db, path, gate, keys)
  const writes = (): number => {
    enter(gate)
    try {
      return native.db_get_latest_sequence(db)
    } finally {
      leave(gate)
    }
  }
  if (range === undefined || range.reverse || range.limit >= 0) return open(range).blocks()
  for (let i = 0; i < tries; i++) {
    const before = writes()
    const bytes = open(range)
    const texts = open({ ...range, keyEncoding: 'utf8' })
    if (writes() === before) return new TextBlocks(texts, bytes)
    bytes.return()
    texts.return()
  }
  return open(range).blocks()
}

class TextBlocks implements IterableIterator<TextBlock, undefined> {
  readonly #bytes: RocksRange
  readonly #texts: IterableIterator<RowBlock, undefined>
  /** Once a key was no text. */
  #rest: IterableIterator<RowBlock, undefined> | undefined
  /** The last key that was given. */
  #last: string | undefined

  constructor(texts: RocksRange, bytes: RocksRange) {
    this.#texts = texts.blocks()
    this.#bytes = bytes
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<TextBlock, undefined> {
    if (this.#rest !== undefined) return this.#rest.next()
    const { done, value } = this.#texts.next()
    if (done) return this.return()
    const block: TextBlock = value
    for (let i = 0; i < block.length; i += 2) if ((block[i] as string).includes(replaced)) return this.#again()
    this.#last = block[block.length - 2] as string
    return { done: false, value: block }
  }

  return(): IteratorResult<TextBlock, undefined> {
    this.#texts.return?.()
    this.#bytes.return()
    return { done: true, value: undefined }
  }

  /** The block that was read, and all behind it, as bytes. */
  #again(): IteratorResult<TextBlock, undefined> {
    this.#texts.return?.()
    // a key and a zero byte: the first that can follow it
    if (this.#last !== undefined) this.#bytes.seek(Buffer.from(`${this.#last}\0`))
    this.#rest = this.#bytes.blocks()
    return this.#rest.next()
  }
}
