import { assigner, type AssignedSpec } from '../../../src/engine/time/assign.ts'
import type { WindowAssigner } from '../../../src/engine/time/window-assigner.ts'
import { TaskClock } from '../../../src/engine/time/clock.ts'
import { Random } from '../../workload/random.ts'
import type { MicroCase } from './case.ts'

const perCall = 1024
const base = Date.UTC(2026, 9, 20)
const random = new Random(3)
const times = Array.from({ length: perCall }, (_, i) => base + i * 250 - random.below(5_000))

const aligned = { offset: 0, grace: 0, clock: 'event' } as const
const minute: AssignedSpec = { kind: 'tumbling', size: 60_000, advance: 60_000, ...aligned }
const sliding: AssignedSpec = { kind: 'hopping', size: 60_000, advance: 10_000, ...aligned }
const oneMonth = { count: 1, unit: 'M' } as const
const month: AssignedSpec = {
  kind: 'tumbling',
  size: oneMonth,
  advance: oneMonth,
  timeZone: 'Asia/Kolkata',
  ...aligned,
}

/** Sum of the starts of all windows of all times. */
function starts(windows: WindowAssigner): number {
  let total = 0
  for (const time of times) {
    for (
      let start = windows.lastStart(time);
      start >= 0 && windows.endOf(start) > time;
      start = windows.previous(start)
    ) {
      total += start
      if (windows.single) break
    }
  }
  return total
}

const assigned = (name: string, spec: AssignedSpec): MicroCase => {
  const windows = assigner(spec)
  return { name, perCall, run: () => starts(windows) }
}

const clock = new TaskClock(
  () => {},
  (error) => {
    throw error
  },
)
let now = base

export const time: readonly MicroCase[] = [
  assigned('assign tumbling windows', minute),
  assigned('assign hopping windows, six a record', sliding),
  assigned('assign calendar months', month),
  {
    name: 'advance a watermark',
    perCall,
    run() {
      for (let i = 0; i < perCall; i++) clock.advance(++now)
      return clock.w
    },
  },
]
