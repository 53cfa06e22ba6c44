/**
 * HyperLogLog: how many different values a stream has, in a fixed number of bytes.
 *
 * A value's hash chooses one of m = 2^14 registers by its first 14 bits; a register keeps the highest position of the first
 * one among the other 39 bits of the hashes that chose it. Two sketches are merged register by register. The standard error
 * is 1.04 / sqrt(m) = 0.81 %: of 100 estimates, 95 are within 1.6 % of the truth.
 *
 * As in HyperLogLog++ (Heule, Nunkesser, Hall: HyperLogLog in Practice, 2013) hashes are kept as they are while there are
 * few, here up to 1024, which is exact. Registers are read by Ertl's improved raw estimator (Otmar Ertl: New cardinality
 * estimation algorithms for HyperLogLog sketches, 2017, algorithm 6), which has no bias at any cardinality and so needs none
 * of HyperLogLog++'s tables of corrections.
 */
export interface HyperLogLog {
  /** Ascending, while there are few. */
  few: number[] | null
  /** m registers. */
  registers: Uint8Array | null
  /** How many registers have which value: what the estimate is made of. */
  counts: number[] | null
}

const PRECISION = 14
const M = 1 << PRECISION
/** Bits of a hash behind those that choose the register. */
const BITS = 53 - PRECISION
const FEW = 1024

export const emptyLog = (): HyperLogLog => ({ few: [], registers: null, counts: null })

/** @param hash 53 bits */
export function addHash(log: HyperLogLog, hash: number): HyperLogLog {
  if (log.few !== null) {
    const at = place(log.few, hash)
    if (log.few[at] === hash) return log
    log.few.splice(at, 0, hash)
    if (log.few.length > FEW) spread(log)
    return log
  }
  register(log, hash)
  return log
}

/** Into the left one. */
export function mergeLogs(left: HyperLogLog, right: HyperLogLog): HyperLogLog {
  if (right.few !== null) {
    for (const hash of right.few) addHash(left, hash)
    return left
  }
  if (left.few !== null) spread(left)
  const registers = right.registers as Uint8Array
  for (let i = 0; i < M; i++) raise(left, i, registers[i] as number)
  return left
}

export function estimate({ few, counts }: HyperLogLog): number {
  if (few !== null) return few.length
  const all = counts as number[]
  let z = M * tau(1 - (all[BITS + 1] as number) / M)
  for (let k = BITS; k >= 1; k--) z = 0.5 * (z + (all[k] as number))
  z += M * sigma((all[0] as number) / M)
  return Math.round((M * M) / (2 * Math.LN2 * z))
}

function place(few: readonly number[], hash: number): number {
  let low = 0
  let high = few.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((few[middle] as number) < hash) low = middle + 1
    else high = middle
  }
  return low
}

function spread(log: HyperLogLog): void {
  const few = log.few as number[]
  log.few = null
  log.registers = new Uint8Array(M)
  log.counts = new Array<number>(BITS + 2).fill(0)
  log.counts[0] = M
  for (const hash of few) register(log, hash)
}

function register(log: HyperLogLog, hash: number): void {
  const index = Math.floor(hash / 2 ** BITS)
  const rest = hash - index * 2 ** BITS
  const top = Math.floor(rest / 4294967296)
  const zeros = top > 0 ? Math.clz32(top) - (64 - BITS) : BITS - 32 + Math.clz32(rest >>> 0)
  raise(log, index, zeros + 1)
}

function raise(log: HyperLogLog, index: number, to: number): void {
  const registers = log.registers as Uint8Array
  const from = registers[index] as number
  if (to <= from) return
  const counts = log.counts as number[]
  registers[index] = to
  counts[from] = (counts[from] as number) - 1
  counts[to] = (counts[to] as number) + 1
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let x = share
  let y = 1
  let z = share
  for (let before = -1; before !== z; ) {
    x *= x
    before = z
    z += x * y
    y += y
  }
  return z
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let x = share
  let y = 1
  let z = 1 - share
  for (let before = -1; before !== z; ) {
    x = Math.sqrt(x)
    before = z
    y *= 0.5
    z -= (1 - x) ** 2 * y
  }
  return z / 3
}
