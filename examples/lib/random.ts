/**
 * A seeded source of randomness: sfc32, Chris Doty-Humphrey's "small fast counting" generator as published with
 * PractRand. It uses 32-bit integer operations only, so a seed gives the same numbers on every machine.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /**
   * @param seed any integer; its lowest 53 bits count
   * @param stream generators of one seed and different streams are independent of each other
   */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = stream | 0
    for (let round = 0; round < 15; round++) this.uint32()
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0
    return result >>> 0
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  fraction(): number {
    return this.uint32() / 2 ** 32
  }

  /** Uniform integer, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1))
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /**
   * Exponentially distributed, mean 1. John von Neumann's method (1951), which only compares: a logarithm need not have the
   * same last bit on every machine.
   */
  exponential(): number {
    for (let whole = 0; ; whole++) {
      const first = this.fraction()
      let previous = first
      let falling = 1
      for (let next = this.fraction(); next <= previous; next = this.fraction()) {
        previous = next
        falling++
      }
      if (falling % 2 === 1) return whole + first
    }
  }

  /** Any of the items, each as likely as the next. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T
  }
}

/**
 * A choice between items of different weight; the weights need not add up to 1.
 * @returns a function that draws one item
 */
export function weighted<T>(choices: readonly (readonly [item: T, weight: number])[]): (random: Random) => T {
  const items = choices.map(([item]) => item)
  const total = choices.reduce((sum, [, weight]) => sum + weight, 0)
  let below = 0
  const limits = choices.map(([, weight]) => {
    below += weight
    return below / total
  })
  const last = items.length - 1
  return (random) => {
    const x = random.fraction()
    let i = 0
    while (i < last && x >= (limits[i] as number)) i++
    return items[i] as T
  }
}
