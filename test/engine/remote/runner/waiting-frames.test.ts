import assert from 'node:assert/strict'
import type { Repartition, Step } from '../../../../src/engine/plan/physical.ts'
import { WaitingFrames } from '../../../../src/engine/remote/runner/waiting-frames.ts'
import { Channel } from '../../../../src/engine/runtime/channels/channel.ts'
import { ChannelFeed } from '../../../../src/engine/runtime/inputs/feed.ts'
import { nowhere } from '../../../../src/engine/runtime/inputs/places.ts'
import { TaskClock } from '../../../../src/engine/time/clock.ts'
import { TaskTime } from '../../../../src/engine/time/inputs.ts'

describe('bytes that wait for a task', () => {
  it('are those of frames of which a record waits, the last ones as the first', () => {
    const time = new TaskTime(
      new TaskClock(
        () => {},
        () => {},
      ),
    )
    const channel = new Channel({ name: 'orders', change: false } as Repartition, 0, 0)
    const runs = { run: () => {}, timed: () => {} }
    const feed = new ChannelFeed({} as Step, time.add(true), runs, channel, false)
    const waiting = new WaitingFrames(feed)
    const frame = (records: number, bytes: number): void => {
      for (let n = 0; n < records; n++) channel.push('k', n, undefined, n, 0, undefined, nowhere, n)
      waiting.add(bytes)
    }
    assert.equal(waiting.bytes, 0)
    frame(3, 100)
    frame(1, 1_000_000)
    assert.equal(waiting.bytes, 1_000_100)
    assert.ok(feed.ready())
    feed.cursor = 2
    assert.equal(waiting.bytes, 1_000_100)
    feed.cursor = 3
    assert.equal(waiting.bytes, 1_000_000)
    frame(2, 7)
    feed.cursor = 4
    assert.equal(waiting.bytes, 7)
    assert.ok(feed.ready())
    feed.cursor = 2
    assert.equal(waiting.bytes, 0)
    frame(1, 9)
    assert.equal(waiting.bytes, 9)
  })
})
