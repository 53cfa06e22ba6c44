import BTreeModule from 'sorted-btree'
import type { Backend, RangeOptions, RowBlock, RowRange, WriteBatch } from '../backend.ts'
import { asBuffer } from '../codec/bytes.ts'
import { bounds, isEmpty } from './bounds.ts'
import { closedError } from './shared-handle.ts'

// The package is CommonJS: its class is the `default` property of what Node imports.
const BTree = BTreeModule.default
type Tree = InstanceType<typeof BTree<string, Buffer>>

/** Node size of the tree; 64 was the best of 32, 64, 128 for keys of 20 to 40 bytes. */
const nodeSize = 64
const blockRows = 512
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * A back end in the heap, for tests and for the test driver: a B+ tree over latin1 strings, one character a byte, whose
 * order is that of the bytes. A range reads a clone that shares its nodes with the tree until one of them is written.
 */
export class MemoryBackend implements Backend {
  readonly kind = 'memory'
  #tree: Tree = new BTree<string, Buffer>(undefined, compare, nodeSize)
  #bytes = 0
  #open = true

  get(key: Uint8Array): Buffer | undefined {
    return this.#live().get(latin1(key))
  }

  getMany(keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    const tree = this.#live()
    const values = new Array<Buffer | undefined>(keys.length)
    for (let i = 0; i < keys.length; i++) values[i] = tree.get(latin1(keys[i] as Uint8Array))
    return values
  }

  range(options: RangeOptions): RowRange {
    return {
      [Symbol.iterator]: () => rows(this.#live().clone(), options),
      blocks: () => blocks(rows(this.#live().clone(), options)),
      textBlocks: () => blocks(rows(this.#live().clone(), options)),
    }
  }

  collect(options: RangeOptions): Buffer[] {
    const flat: Buffer[] = []
    for (const [key, value] of rows(this.#live(), options)) flat.push(key, value)
    return flat
  }

  batch(): WriteBatch {
    this.#live()
    return new MemoryBatch((keys, values) => this.#apply(keys, values))
  }

  clearRange(gte: Uint8Array, lt: Uint8Array): void {
    const tree = this.#live()
    const [low, high] = [latin1(gte), latin1(lt)]
    if (low >= high) return
    tree.forRange(low, high, false, (key, value) => {
      this.#bytes -= key.length + value.length
    })
    tree.deleteRange(low, high, false)
  }

  approximateBytes(): number {
    this.#live()
    return this.#bytes
  }

  async close(): Promise<void> {
    this.#open = false
    this.#tree.clear()
  }

  #live(): Tree {
    if (!this.#open) throw closedError()
    return this.#tree
  }

  #apply(keys: readonly string[], values: readonly (Buffer | undefined)[]): void {
    const tree = this.#live()
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const value = values[i]
      const old = tree.get(key)
      if (old !== undefined) this.#bytes -= key.length + old.length
      if (value === undefined) tree.delete(key)
      else {
        tree.set(key, value)
        this.#bytes += key.length + value.length
      }
    }
  }
}

class MemoryBatch implements WriteBatch {
  #keys: string[] = []
  #values: (Buffer | undefined)[] = []
  readonly #apply: (keys: readonly string[], values: readonly (Buffer | undefined)[]) => void
  bytes = 0

  constructor(apply: (keys: readonly string[], values: readonly (Buffer | undefined)[]) => void) {
    this.#apply = apply
  }

  get count(): number {
    return this.#keys.length
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#keys.push(latin1(key))
    this.#values.push(Buffer.from(value))
    this.bytes += key.length + value.length
  }

  delete(key: Uint8Array): void {
    this.#keys.push(latin1(key))
    this.#values.push(undefined)
    this.bytes += key.length
  }

  commit(): void {
    this.#apply(this.#keys, this.#values)
    this.#keys = []
    this.#values = []
    this.bytes = 0
  }
}

function* rows(tree: Tree, options: RangeOptions): Generator<readonly [Buffer, Buffer]> {
  const ends = bounds(options)
  let left = options.limit ?? Number.POSITIVE_INFINITY
  if (left <= 0 || isEmpty(ends)) return
  const low = latin1(ends.gte)
  const high = ends.lt === undefined ? undefined : latin1(ends.lt)
  if (options.reverse) {
    for (const [key, value] of tree.entriesReversed(high, undefined, true)) {
      if (key < low || left-- <= 0) return
      yield [Buffer.from(key, 'latin1'), value]
    }
  } else {
    for (const [key, value] of tree.entries(low)) {
      if ((high !== undefined && key >= high) || left-- <= 0) return
      yield [Buffer.from(key, 'latin1'), value]
    }
  }
}

function* blocks(all: Iterable<readonly [Buffer, Buffer]>): Generator<RowBlock, undefined> {
  let block: Buffer[] = []
  for (const [key, value] of all) {
    block.push(key, value)
    if (block.length < 2 * blockRows) continue
    yield block
    block = []
  }
  if (block.length > 0) yield block
}

const latin1 = (bytes: Uint8Array): string => asBuffer(bytes).toString('latin1')
