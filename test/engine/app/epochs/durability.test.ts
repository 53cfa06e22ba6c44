import assert from 'node:assert/strict'
import { Durability } from '../../../../src/engine/app/epochs/durability.ts'

/** A clock that is moved by hand. */
function handClock() {
  let now = 0
  const timers = new Set<{ at: number; fn: () => void }>()
  return {
    now: () => now,
    setTimer(at: number, fn: () => void) {
      const timer = { at, fn }
      timers.add(timer)
      return { [Symbol.dispose]: () => void timers.delete(timer) }
    },
    to(time: number) {
      now = time
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer)
        timer.fn()
      }
    },
  }
}

describe('durability', () => {
  const made = (mode: 'commit' | 'interval' | 'os') => {
    const clock = handClock()
    const flushed: number[] = []
    return { clock, flushed, durability: new Durability(mode, clock, () => void flushed.push(clock.now())) }
  }

  it('syncs each epoch, or none', () => {
    assert.equal(made('commit').durability.next(), true)
    assert.equal(made('os').durability.next(), false)
  })

  it('syncs at most once a second, and what was written last a second later', () => {
    const { clock, flushed, durability } = made('interval')
    const synced: boolean[] = []
    for (const at of [0, 100, 900, 1000, 1100, 1999]) {
      clock.to(at)
      synced.push(durability.next())
    }
    assert.deepEqual(synced, [true, false, false, false, false, false])
    assert.deepEqual(flushed, [1000])
    clock.to(2000)
    assert.deepEqual(flushed, [1000, 2000])
    clock.to(5000)
    assert.deepEqual(flushed, [1000, 2000])
    assert.equal(durability.next(), true)
    durability.next()
    durability.stop()
    clock.to(9000)
    assert.deepEqual(flushed, [1000, 2000])
  })
})
