import type { WatermarkSpec } from '../../dsl/plan/index.ts'
import type { TaskClock } from './clock.ts'

const never = Number.NEGATIVE_INFINITY

/** One input's share of a task's time. */
export class InputTime {
  /** This input's W. */
  w = never
  /** Highest timestamp seen. */
  max = never
  /** The task's W is this input's W. */
  solo = false
  idle = false
  ended = false
  /** W by the wall clock, while idle. */
  followed = never
  /** Tables wait for nobody and hold nobody up. */
  readonly counted: boolean
  readonly spec: WatermarkSpec | undefined
  private readonly all: TaskTime

  constructor(all: TaskTime, counted: boolean, spec: WatermarkSpec | undefined) {
    this.all = all
    this.counted = counted
    this.spec = spec
  }

  /** W never goes back. */
  raise(w: number): void {
    if (w <= this.w) return
    this.w = w
    this.all.update()
  }

  punctuate(value: unknown, ts: number): number | null {
    return this.spec?.fn?.(value, ts) ?? null
  }

  setIdle(idle: boolean): void {
    if (this.idle === idle) return
    this.idle = idle
    this.all.arrange()
  }

  /** Idle inputs may let W move with the wall clock, once none is live. */
  follow(w: number): void {
    if (w <= this.followed) return
    this.followed = w
    this.all.update()
  }

  /** Nothing comes any more. */
  end(): void {
    if (this.ended) return
    this.ended = true
    this.raise(Number.POSITIVE_INFINITY)
    this.all.update()
  }
}

/** A task's W: the minimum over its live inputs that count. */
export class TaskTime {
  readonly inputs: InputTime[] = []
  readonly clock: TaskClock

  constructor(clock: TaskClock) {
    this.clock = clock
  }

  add(counted: boolean, spec?: WatermarkSpec): InputTime {
    const input = new InputTime(this, counted, spec)
    this.inputs.push(input)
    this.arrange()
    return input
  }

  /** After inputs came, went idle or woke up. */
  arrange(): void {
    const live = this.inputs.filter((input) => input.counted && !input.idle)
    for (const input of this.inputs) input.solo = live.length === 1 && live[0] === input
    this.update()
  }

  update(): void {
    let w = Number.POSITIVE_INFINITY
    let live = 0
    let highest = never
    let counted = 0
    let ended = true
    let followed = never
    for (const input of this.inputs) {
      if (!input.counted) continue
      counted++
      if (!input.ended) ended = false
      if (input.max > highest) highest = input.max
      if (input.followed > followed) followed = input.followed
      if (input.idle || input.ended) continue
      live++
      if (input.w < w) w = input.w
    }
    // tables that were added before the first stream say nothing
    if (counted === 0) return
    // none is live: an out-of-orderness bound must not hold the last window for ever; +infinity needs the end of all
    if (live === 0 && !ended) w = Math.max(highest - 1, followed)
    if (w > this.clock.w || this.clock.next <= this.clock.w) this.clock.advance(w)
  }
}
