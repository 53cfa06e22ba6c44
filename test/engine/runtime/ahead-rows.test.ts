import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Channel } from '../../../src/engine/runtime/channels/channel.ts'
import { FrameSeries } from '../../../src/engine/runtime/channels/frame-series.ts'
import { putBack } from '../../../src/engine/runtime/channels/in-flight.ts'
import { nowhere } from '../../../src/engine/runtime/inputs/places.ts'
import { AheadRows, aheadOf, type Waiting } from '../../../src/engine/runtime/tasks/ahead-rows.ts'
import type { InFlight } from '../../../src/engine/runtime/channels/in-flight.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { after, statePrefix } from '../../../src/state/stores/index.ts'
import type { Repartition } from '../../../src/engine/plan/physical.ts'

const kilobyte = 1024
const prefix = statePrefix(7, 3)
const codec = { key: undefined, value: undefined, change: false, topic: 'orders' }
/** Of a record, besides its value. */
const beside = 80

/** A feed, as a list of the lengths of all its records. */
class Line {
  readonly feed: string
  readonly sizes: number[] = []
  head = 0

  constructor(feed: string) {
    this.feed = feed
  }

  waiting(): Waiting {
    const { feed, head, sizes } = this
    return { feed, head, tail: sizes.length, frames: (from) => this.frames(from) }
  }

  private frames(from: number): Buffer[] {
    const series = new FrameSeries(codec)
    for (let n = from; n < this.sizes.length; n++)
      series.add(n, 'x'.repeat(this.sizes[n] as number), undefined, 1000 + n, 0, undefined, nowhere, n)
    return series.end()
  }
}

/** A task's rows over epochs and restarts. */
class Task {
  readonly backend = new MemoryBackend()
  readonly lines = ['day|0', 'night|0', 'night|1'].map((feed) => new Line(feed))
  private rows = new AheadRows()
  /** In the task's own row. */
  private own: InFlight[] = []

  restart(): void {
    this.rows = new AheadRows()
    this.rows.find(this.backend, prefix, 'orders')
  }

  /** @returns bytes that were written, and those of them in the task's own row */
  seal(): { readonly bytes: number; readonly own: number } {
    const batch = this.backend.batch()
    let bytes = 0
    const sealer = {
      put(key: Uint8Array, value: Uint8Array) {
        bytes += value.length
        batch.put(key, value)
      },
      delete: (key: Uint8Array) => void batch.delete(key),
      clearLater: () => assert.fail(),
    }
    const waiting = this.lines.map((line) => line.waiting())
    this.own = this.rows.seal(sealer, prefix, 'orders', waiting)
    batch.commit()
    const own = this.own.flatMap(({ frames }) => frames).reduce((sum, { length }) => sum + length, 0)
    return { bytes: bytes + own, own }
  }

  /** What a next run would have at hand: numbers of records, by feed. */
  found(): Record<string, number[]> {
    const all = [...aheadOf(this.backend, prefix, 'orders', this.own), ...this.own]
    return Object.fromEntries(
      this.lines.map(({ feed }) => {
        const channel = new Channel({ name: feed, change: false } as Repartition, 0, 0)
        for (const one of all) if (one.feed === feed) putBack(one, codec, channel)
        const batch = channel.take()
        assert.equal(channel.total, batch.baseOffset + batch.count)
        assert.ok(batch.count === 0 || batch.baseOffset === batch.keys[0])
        return [feed, batch.keys as number[]]
      }),
    )
  }

  get count(): number {
    return [...this.backend.range({ gte: prefix, lt: after(prefix) })].length
  }
}

const size = fc.oneof(fc.nat(300), fc.nat(300), fc.integer({ min: kilobyte, max: 90 * kilobyte }))
const epoch = fc.record({
  came: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 400 }), size), { maxLength: 5 }),
  processed: fc.array(fc.tuple(fc.nat(2), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 3 }),
  restart: fc.boolean(),
})

describe('what has waited for a task for long', () => {
  it('is there after each epoch, and costs what has come since the one before', () => {
    fc.assert(
      fc.property(fc.array(epoch, { maxLength: 12 }), (epochs) => {
        const task = new Task()
        for (const { came, processed, restart } of epochs) {
          let fresh = 0
          for (const [i, times, bytes] of came) {
            const line = task.lines[i] as Line
            const count = Math.min(times, Math.ceil((400 * kilobyte) / (bytes + 1)))
            for (let n = 0; n < count; n++) line.sizes.push(bytes)
            fresh += count * (bytes + beside)
          }
          for (const [i, part] of processed) {
            const line = task.lines[i] as Line
            line.head += Math.round((line.sizes.length - line.head) * part)
          }
          if (restart) task.restart()
          const { bytes, own } = task.seal()
          // the task's own row is written with each epoch, and what had stood there
          assert.ok(bytes <= fresh + 64 * kilobyte + 200, `${bytes} of ${fresh}`)
          assert.ok(own <= 64 * kilobyte)
          const expected = task.lines.map(({ feed, head, sizes }) => [
            feed,
            Array.from({ length: sizes.length - head }, (_, n) => head + n),
          ])
          assert.deepEqual(task.found(), Object.fromEntries(expected))
        }
        for (const line of task.lines) line.head = line.sizes.length
        task.seal()
        assert.equal(task.count, 0)
      }),
      { numRuns: 60 },
    )
  })

  it('is not written again while others are processed', () => {
    const task = new Task()
    const [day, night] = task.lines as [Line, Line]
    for (let n = 0; n < 4000; n++) day.sizes.push(1000)
    task.seal()
    for (let round = 0; round < 50; round++) {
      for (let n = 0; n < 20; n++) night.sizes.push(100)
      night.head = night.sizes.length - 3
      const { bytes } = task.seal()
      assert.ok(bytes < 2000, `${bytes}`)
    }
    assert.equal(task.found()['day|0']?.length, 4000)
  })
})
