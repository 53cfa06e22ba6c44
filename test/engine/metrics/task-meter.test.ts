import assert from 'node:assert/strict'
import { TaskMeter } from '../../../src/engine/metrics/task-meter.ts'

/** Until the clock has moved on. */
function spend(): void {
  const began = performance.now()
  while (performance.now() - began < 0.05);
}

describe('the meter of a task', () => {
  it('tells of time between two samples as soon as it is looked at, split as the last sample was', () => {
    const meter = new TaskMeter(3, [0])
    const slice = (): void => {
      const timed = meter.begin(0)
      spend()
      if (meter.on) {
        meter.to(1)
        spend()
        meter.to(2)
        spend()
      }
      meter.end(0, timed, 100)
    }
    slice()
    const sampled = [...meter.busy]
    const whole = sampled.reduce((sum, ms) => sum + ms, 0)
    assert.ok(sampled.every((ms) => ms > 0))
    // so much has been paid for the sample that the next slices are timed as a whole
    slice()
    assert.deepEqual([...meter.busy], sampled)
    meter.refresh()
    const grown = meter.busy.map((ms, i) => ms - sampled[i]!)
    const more = grown.reduce((sum, ms) => sum + ms, 0)
    assert.ok(more > 0)
    for (const [i, ms] of grown.entries()) assert.ok(Math.abs(ms / more - sampled[i]! / whole) < 1e-9)
    // once
    const seen = [...meter.busy]
    meter.refresh()
    assert.deepEqual([...meter.busy], seen)
  })
})
