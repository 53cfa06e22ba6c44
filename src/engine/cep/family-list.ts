import type { Chunk } from './chunk.ts'
import { byStart, Family } from './run.ts'

/** Families by their start, oldest first. */
export class FamilyList {
  oldest: Family | null = null
  protected newest: Family | null = null
  protected readonly pattern: number

  constructor(pattern: number) {
    this.pattern = pattern
  }

  /** A family in its place; nearly always the last. */
  protected family(startTs: number, startSeq: number, chunk: Chunk): Family {
    const family = new Family(startTs, startSeq, chunk, this.pattern)
    chunk.families.push(family)
    let before = this.newest
    while (before !== null && byStart(before, family) > 0) before = before.before
    const after = before === null ? this.oldest : before.after
    family.before = before
    family.after = after
    if (before === null) this.oldest = family
    else before.after = family
    if (after === null) this.newest = family
    else after.before = family
    return family
  }

  protected forget(family: Family): void {
    const { families } = family.chunk
    const last = families.pop() as Family
    if (last !== family) families[families.indexOf(family)] = last
    if (family.before === null) this.oldest = family.after
    else family.before.after = family.after
    if (family.after === null) this.newest = family.before
    else family.after.before = family.before
  }
}
