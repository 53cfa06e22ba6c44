import type { Timed } from '../../time/clock.ts'
import type { WallTime } from '../../time/wall-time.ts'
import { type Emit, type EmitChange, noEmit } from '../operator.ts'

interface Inner extends Timed {
  out: EmitChange
  late: Emit | undefined
  process(key: unknown, value: unknown, ts: number, port: number): void
}

/**
 * Windows over the wall clock: a windowed aggregate whose records happen when they are processed. Nothing is late; results
 * carry the last millisecond of their window.
 */
export class WallWindows {
  readonly stepId: number
  readonly inner: Inner
  private readonly time: WallTime
  /** 0 where a window's end belongs to it, as in sessions. */
  private readonly behind: number

  constructor(inner: Inner, time: WallTime, inclusive: boolean) {
    this.stepId = inner.stepId
    this.inner = inner
    this.time = time
    this.behind = inclusive ? 0 : 1
    inner.out = noEmit
    time.add(inner)
  }

  set out(emit: EmitChange) {
    const { behind } = this
    this.inner.out = (key, value, old) =>
      emit(key, value, old, (key as { window: { end: number } }).window.end - behind)
  }

  set late(_: Emit) {}

  process(key: unknown, value: unknown, _ts: number, port: number): void {
    const now = this.time.enter()
    this.inner.process(key, value, now, port)
    this.time.leave()
  }
}
