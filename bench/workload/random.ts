/** 32-bit random numbers from a seed: sfc32 (Doty-Humphrey, PractRand), the same on every machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = 0
    this.#b = seed | 0
    this.#c = seed ^ 0x9e3779b9
    for (let i = 0; i < 12; i++) this.next()
  }

  /** Uniform in 0..2^32 - 1. */
  next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0
    return t >>> 0
  }

  /** Uniform in 0..n - 1, for n up to 2^31. */
  below(n: number): number {
    return Math.floor((this.next() / 2 ** 32) * n)
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.next() / 2 ** 32
  }
}

/**
 * Draws from 0..n - 1 where number i has a share of 1 / (i + 1)^exponent (Zipf), by binary search in the sums of shares.
 * @example const rank = zipf(10_000, 1)(random)
 */
export function zipf(n: number, exponent: number): (random: Random) => number {
  const sums = new Float64Array(n)
  let total = 0
  for (let i = 0; i < n; i++) sums[i] = total += 1 / (i + 1) ** exponent
  return (random) => {
    const at = random.unit() * total
    let low = 0
    let high = n - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sums[middle]! > at) high = middle
      else low = middle + 1
    }
    return low
  }
}
