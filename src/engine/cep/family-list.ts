import { byStart, Family } from './run.ts'

/** Families by their start, oldest first. */
export class FamilyList {
  oldest: Family | null = null
  protected newest: Family | null = null

  /** A family in its place; nearly always the last. */
  protected family(startTs: number, startSeq: number): Family {
    const family = new Family(startTs, startSeq)
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
    if (family.before === null) this.oldest = family.after
    else family.before.after = family.after
    if (family.after === null) this.newest = family.before
    else family.after.before = family.before
  }
}
