import type { Stateful } from './steps.ts'

const never = Number.NEGATIVE_INFINITY

/** A task's W: the lowest of its inputs that count; and who waits for it, in the order of the topology. */
export class TaskTime {
  w = never
  readonly timed: Stateful[] = []
  private readonly inputs = new Map<unknown, { w: number; readonly counted: boolean }>()

  add(input: unknown, counted: boolean): void {
    this.inputs.set(input, { w: never, counted })
  }

  /** Returns whether the input's W has moved. */
  raise(input: unknown, w: number): boolean {
    const one = this.inputs.get(input)
    if (one === undefined || w <= one.w) return false
    one.w = w
    this.sweep()
    return true
  }

  /** Moves W to where it is, over all that is due on the way: while what is due at t happens, W stands at t - 1. */
  sweep(): void {
    const counted = [...this.inputs.values()].filter((input) => input.counted)
    const target = Math.max(this.w, Math.min(...counted.map(({ w }) => w)))
    for (;;) {
      let at = Number.POSITIVE_INFINITY
      for (const step of this.timed) at = Math.min(at, step.due?.() ?? Number.POSITIVE_INFINITY)
      if (at > target || at === Number.POSITIVE_INFINITY) break
      this.w = Math.max(this.w, at - 1)
      this.timed.find((step) => step.due?.() === at)?.fire?.(at)
    }
    this.w = target
  }
}
