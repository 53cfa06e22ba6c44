import type { TaskReport } from '../../engine/metrics/index.ts'
import type { PhysicalPlan } from '../../engine/plan/physical.ts'
import { isCounted } from '../../engine/codegen/steps.ts'
import type { TaskTotals } from './task-totals.ts'
import type { StepTick, TaskTick } from './types.ts'

/**
 * What each step has done in all tasks. Only steps that let fewer or more records through count them; of the others it follows
 * from what is before them.
 */
export function stepTicks(
  plan: PhysicalPlan,
  totals: TaskTotals,
  counters: Readonly<Record<string, number>>,
): StepTick[] {
  const sums = totals.steps()
  const dropped = droppedBy(counters)
  const outs: number[] = []
  return plan.steps.map((step) => {
    const { came, out, busyMs } = sums.get(step.id) ?? nothing
    const isInput = step.op.kind === 'source' || step.op.kind === 'repartitionRead'
    const entered = isInput ? came : step.inputs.reduce((sum, input) => sum + (outs[input.id] ?? 0), 0)
    const left = isCounted(step) ? out : entered
    outs[step.id] = left
    // what comes out of the step before it is what was not late
    const into = step.op.kind === 'late' ? left : entered
    return { id: step.id, in: into, out: left, busyMs, dropped: dropped.get(step.name) ?? {} }
  })
}

const nothing = { came: 0, out: 0, busyMs: 0 }

/** Counters are named `step.dropped.reason` or `step.reason`; step names may have dots. */
function droppedBy(counters: Readonly<Record<string, number>>): Map<string, Record<string, number>> {
  const found = new Map<string, Record<string, number>>()
  for (const [name, n] of Object.entries(counters)) {
    const [, step, reason] = /^(.+?)\.(?:dropped\.)?([^.]+)$/.exec(name) ?? []
    if (n === 0 || step === undefined || reason === undefined || step === 'user') continue
    found.set(step, { ...found.get(step), [reason]: n })
  }
  return found
}

export function taskTick(task: TaskReport): TaskTick {
  const { sub, partition, worker, processed, backlog, blockedMs, waitingMs, watermark, streamTime, steps } = task
  return {
    id: `${sub}_${partition}`,
    sub,
    partition,
    worker: worker ?? null,
    processed,
    backlog,
    blockedMs,
    waitingMs,
    busyMs: steps.reduce((sum, { busyMs }) => sum + busyMs, 0),
    watermark: finite(watermark),
    streamTime: finite(streamTime),
  }
}

const finite = (time: number): number | null => (Number.isFinite(time) ? time : null)
