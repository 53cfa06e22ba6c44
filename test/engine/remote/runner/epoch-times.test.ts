import assert from 'node:assert/strict'
import { EpochTimes } from '../../../../src/engine/remote/runner/epoch-times.ts'

describe('times of epochs on a cluster', () => {
  let now = 0
  const times = (interval: number): EpochTimes => {
    now = 1000
    return new EpochTimes({ now: () => now }, interval)
  }

  it('ends an epoch at its interval, whether it has caught up or not, where its transaction is not open', () => {
    const epoch = times(100)
    now = 1099
    assert.equal(epoch.isDue(false, true), false)
    assert.equal(epoch.isDue(true, false), false)
    now = 1100
    assert.equal(epoch.isDue(false, false), true)
  })

  it('ends it some milliseconds after its transaction was opened, where nothing is left to be processed', () => {
    const epoch = times(100)
    assert.equal(epoch.openAt, 1075)
    assert.deepEqual([epoch.endAt(true), epoch.endAt(false)], [1080, 1100])
    now = 1079
    assert.equal(epoch.isDue(true, true), false)
    now = 1080
    assert.equal(epoch.isDue(true, true), true)
    assert.equal(epoch.isDue(true, false), false)
  })

  it('opens and ends short epochs by shares of their interval, and long ones at most that early', () => {
    const short = times(20)
    assert.deepEqual([short.openAt, short.endAt(true)], [1015, 1016])
    const long = times(30_000)
    assert.deepEqual([long.openAt, long.endAt(true)], [30_975, 30_980])
  })

  it('begins one an interval, unless one began late or ended early', () => {
    const epoch = times(100)
    now = 1107
    epoch.next()
    assert.equal(epoch.endAt(false), 1200)
    now = 1180
    epoch.next()
    assert.equal(epoch.endAt(false), 1280)
    now = 1500
    epoch.next()
    assert.equal(epoch.endAt(false), 1600)
  })
})
