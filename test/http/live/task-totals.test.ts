import assert from 'node:assert/strict'
import type { TaskReport } from '../../../src/engine/metrics/index.ts'
import { TaskTotals } from '../../../src/http/live/task-totals.ts'

const report = (partition: number, since: number, came: number): TaskReport => ({
  sub: 0,
  partition,
  since,
  inputs: [],
  processed: came,
  backlog: 0,
  blockedMs: 0,
  waitingMs: 0,
  watermark: 0,
  streamTime: 0,
  rows: {},
  reads: { store: { lookups: came, misses: 0 } },
  steps: [{ id: 3, came, out: 0, busyMs: came / 10 }],
})

describe('totals of tasks', () => {
  it('go on where a task begins anew, or leaves', () => {
    const totals = new TaskTotals()
    const sum = (...reports: TaskReport[]): number => {
      totals.add(reports)
      return totals.steps().get(3)?.came ?? 0
    }
    assert.equal(sum(report(0, 10, 100), report(1, 10, 50)), 150)
    assert.equal(sum(report(0, 10, 140), report(1, 10, 50)), 190)
    // one thread has begun anew, the other has not told yet
    assert.equal(sum(report(0, 20, 5), report(1, 10, 50)), 195)
    assert.equal(sum(report(0, 20, 5), report(1, 20, 0)), 195)
    // the first is elsewhere, and comes back
    assert.equal(sum(report(1, 20, 7)), 202)
    assert.equal(sum(report(0, 30, 1), report(1, 20, 7)), 203)
    assert.deepEqual(totals.reads().get('store'), { lookups: 203, misses: 0 })
    assert.equal(totals.steps().get(3)?.busyMs, 20.3)
  })

  it('leave out what is told of a task by who had it before', () => {
    const totals = new TaskTotals()
    totals.add([report(0, 20, 5)])
    assert.deepEqual(totals.add([report(0, 10, 100), report(0, 20, 6)]), [report(0, 20, 6)])
    assert.deepEqual(totals.add([report(0, 20, 6), report(0, 10, 100)]), [report(0, 20, 6)])
    assert.equal(totals.steps().get(3)?.came, 6)
  })
})
