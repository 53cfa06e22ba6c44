import { mix } from '../codec/index.ts'

/** Of the first layer; each further one holds four times as many as the one before. */
const firstKeys = 1 << 12
const bitsAKey = 12
const probes = 5
/** Beyond these the filter is given up. Seven layers: 33 MB. */
const mostKeys = firstKeys * ((4 ** 7 - 1) / 3)

/**
 * Which keys may have rows in the database: a no is sure, a yes is wrong once in some fifty times. Layers of Bloom
 * filters, each four times as large as the one before, so that nobody has to know how many keys come (Almeida, Baquero, Preguiça,
 * Hutchison: "Scalable Bloom Filters", 2007). Keys are told by their hashes; the probes of one lie in one line of the processor's
 * cache.
 */
export class KeyFilter {
  private readonly layers: Layer[] = []
  private keys = 0
  private last: Layer | undefined
  bytes = 0

  /** @returns whether there was room */
  add(hash: number): boolean {
    if (this.mayHave(hash)) return true
    if (this.keys === mostKeys) return false
    let { last } = this
    if (last === undefined || last.left === 0) {
      last = new Layer(firstKeys << (2 * this.layers.length))
      this.last = last
      this.layers.push(last)
      this.bytes += last.words.byteLength
    }
    last.add(hash)
    this.keys++
    return true
  }

  /** The newest holds the most. */
  mayHave(hash: number): boolean {
    for (let i = this.layers.length - 1; i >= 0; i--) if ((this.layers[i] as Layer).has(hash)) return true
    return false
  }
}

/** Words of a block: 64 bytes. */
const blockWords = 16

class Layer {
  readonly words: Int32Array
  left: number
  private readonly blocks: number

  constructor(keys: number) {
    this.left = keys
    this.blocks = Math.ceil((keys * bitsAKey) / (blockWords * 32))
    this.words = new Int32Array(this.blocks * blockWords)
  }

  add(hash: number): void {
    this.left--
    const at = this.block(hash)
    let bits = mix(hash ^ 0x5bd1e995)
    for (let i = 0; i < probes; i++, bits = Math.imul(bits, 0x9e3779b1)) {
      const bit = bits >>> 23
      this.words[at + (bit >>> 5)] = (this.words[at + (bit >>> 5)] as number) | (1 << (bit & 31))
    }
  }

  has(hash: number): boolean {
    const at = this.block(hash)
    let bits = mix(hash ^ 0x5bd1e995)
    for (let i = 0; i < probes; i++, bits = Math.imul(bits, 0x9e3779b1)) {
      const bit = bits >>> 23
      if (((this.words[at + (bit >>> 5)] as number) & (1 << (bit & 31))) === 0) return false
    }
    return true
  }

  private block(hash: number): number {
    return Math.floor(((hash >>> 0) / 2 ** 32) * this.blocks) * blockWords
  }
}
