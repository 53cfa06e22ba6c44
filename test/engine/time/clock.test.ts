import assert from 'node:assert/strict'
import { TaskClock } from '../../../src/engine/time/clock.ts'

describe("a task's clock", () => {
  const make = (): TaskClock =>
    new TaskClock(
      () => {},
      (error) => {
        throw error
      },
    )

  it('goes on after the end from where W was, though nothing acted and its last record is older', () => {
    const clock = make()
    clock.streamTime = 100
    clock.advance(500)
    clock.advance(Number.POSITIVE_INFINITY)
    assert.equal(clock.kept, 500)
    const next = make()
    next.w = clock.kept
    next.streamTime = clock.streamTime
    next.advance(Number.POSITIVE_INFINITY)
    assert.equal(next.kept, 500)
  })
})
