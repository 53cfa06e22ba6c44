import type { TaskGroup } from './group.ts'

/**
 * Records of sources that tasks have processed, and how many of them are sealed and committed. What is not has not been done
 * where an epoch is taken back.
 */
export class Work {
  private done = 0
  private sealed = 0
  private settled = 0

  get processed(): number {
    return this.done
  }

  /** There is some since the last seal. */
  get unsealed(): boolean {
    return this.done !== this.sealed
  }

  /**
   * One slice; see `TaskGroup.run`.
   *
   * @returns records of sources that were processed
   */
  slice(group: TaskGroup, limit: number, ms?: number): number {
    const before = group.sourced
    group.tick()
    group.run(limit, ms)
    const n = group.sourced - before
    this.done += n
    return n
  }

  seal(): void {
    this.sealed = this.done
  }

  /** What was sealed last. */
  committed(): void {
    this.settled = this.sealed
  }

  takeBack(): void {
    this.done = this.settled
    this.sealed = this.settled
  }
}
