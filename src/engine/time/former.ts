/** How far the tasks of a sub-topology were when it had so many: W of each, by partition. */
export interface Former {
  readonly partitions: number
  readonly w: readonly number[]
}

/** The partition of n that records of a key go to. @throws for what is no key here */
type Placement = (key: unknown, partitions: number) => number

/**
 * W of the task that had a key before partitions changed. A task goes on from the earliest W of those before, so that nothing is
 * late for it that was not late before; but what time had brought about for a key is not brought about again:
 *
 *     before   W = 90   a: [0, 50) is out          after   W = 20   a, b: [0, 50) closes at 50, for b alone
 *              W = 20   b
 *
 * It is of no use any more when W has come as far as the task that was ahead of all.
 */
export class FormerTimes {
  readonly all: readonly Former[]
  /** W of who was ahead of all. */
  readonly highest: number
  private readonly place: Placement

  constructor(all: readonly Former[], place: Placement) {
    this.all = all
    this.place = place
    this.highest = Math.max(...all.flatMap(({ w }) => w))
  }

  of(key: unknown): number {
    let highest = Number.NEGATIVE_INFINITY
    for (const { partitions, w } of this.all) highest = Math.max(highest, w[this.at(key, partitions)] ?? highest)
    return highest
  }

  private at(key: unknown, partitions: number): number {
    try {
      return this.place(key, partitions)
    } catch {
      return -1
    }
  }
}

/** Of the tasks of a sub-topology and what they knew of those before them. @param w by partition */
export function formerOf(w: readonly number[], before: readonly Former[]): Former[] {
  const found = new Map<number, number[]>()
  for (const one of [{ partitions: w.length, w }, ...before]) {
    const known = found.get(one.partitions)
    if (known === undefined) found.set(one.partitions, [...one.w])
    else for (const [i, own] of one.w.entries()) known[i] = Math.max(known[i] as number, own)
  }
  return Array.from(found, ([partitions, all]) => ({ partitions, w: all }))
}
