import type { KeyState } from './key-state.ts'

/**
 * Keys by the time at which they are to be looked at: a binary heap, times apart from keys, so that sifting reads one
 * stretch of memory. May hold times that are out of date: `armedAt` decides.
 */
export class Alarms {
  private times: number[] = []
  private states: KeyState[] = []
  /** How many of them may be up to date, at most. */
  private armed = 0

  get next(): number {
    return this.times.length === 0 ? Number.POSITIVE_INFINITY : (this.times[0] as number)
  }

  /** How many times are held, those that are out of date included. */
  get size(): number {
    return this.times.length
  }

  arm(state: KeyState, at: number): void {
    if (at >= state.armedAt) return
    if (state.armedAt === Number.POSITIVE_INFINITY) this.armed++
    state.armedAt = at
    if (this.times.length > 2 * this.armed + 1024) this.clean()
    this.push(at, state)
  }

  disarm(state: KeyState): void {
    if (state.armedAt === Number.POSITIVE_INFINITY) return
    state.armedAt = Number.POSITIVE_INFINITY
    this.armed--
  }

  /** The keys that are due at `at`, which are not armed any more. */
  take(at: number): KeyState[] {
    const due: KeyState[] = []
    while (this.times.length > 0 && (this.times[0] as number) <= at) {
      const armed = this.times[0] as number
      const state = this.pop()
      if (state.dead || state.armedAt !== armed) continue
      this.disarm(state)
      due.push(state)
    }
    return due
  }

  private clean(): void {
    const { times, states } = this
    this.times = []
    this.states = []
    for (let i = 0; i < times.length; i++) {
      const state = states[i] as KeyState
      if (!state.dead && state.armedAt === times[i]) this.push(times[i] as number, state)
    }
  }

  private push(at: number, state: KeyState): void {
    const { times, states } = this
    let i = times.push(at) - 1
    states.push(state)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if ((times[parent] as number) <= at) break
      times[i] = times[parent] as number
      states[i] = states[parent] as KeyState
      i = parent
    }
    times[i] = at
    states[i] = state
  }

  private pop(): KeyState {
    const { times, states } = this
    const top = states[0] as KeyState
    const at = times.pop() as number
    const state = states.pop() as KeyState
    const n = times.length
    if (n === 0) return top
    let i = 0
    for (let child = 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && (times[child + 1] as number) < (times[child] as number)) child++
      if ((times[child] as number) >= at) break
      times[i] = times[child] as number
      states[i] = states[child] as KeyState
      i = child
    }
    times[i] = at
    states[i] = state
    return top
  }
}
