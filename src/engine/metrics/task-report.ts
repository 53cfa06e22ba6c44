import type { ReadCounts } from '../runtime/steps/stores.ts'
import type { Task } from '../runtime/tasks/task.ts'

/** What one task has done since its thread (re)started it. Plain data: it goes from workers to the owner as it is. */
export interface TaskReport {
  readonly sub: number
  readonly partition: number
  /** undefined: in the app's own thread. */
  readonly worker?: number
  /** When it began, epoch ms: of two reports about the same task the one that began later is of the task that runs. */
  readonly since: number
  /** Topics that it reads from outside, and the offset of the first record of each that was not processed. */
  readonly inputs: readonly { readonly topic: string; readonly partition: number; readonly position: number }[]
  /** Records that came in, from topics and from other tasks. */
  readonly processed: number
  /** Records from other tasks that have come and wait. */
  readonly backlog: number
  /** Could not go on: those behind it take no more. */
  readonly blockedMs: number
  /** Waited for an input that might have brought something older. */
  readonly waitingMs: number
  /** Epoch ms; infinite at either end. */
  readonly watermark: number
  /** Highest timestamp seen. */
  readonly streamTime: number
  /** Rows by store, as of the last checkpoint; of stores that know. */
  readonly rows: Readonly<Record<string, number>>
  /** By store, of those whose rows are kept in memory as far as there is room. */
  readonly reads: Readonly<Record<string, ReadCounts>>
  /** In the order of the sub-topology's steps. */
  readonly steps: readonly StepReport[]
}

export interface StepReport {
  readonly id: number
  /** Records that came into the task here. */
  readonly came: number
  /** Records that came out; of steps that pass on what comes in, 0. */
  readonly out: number
  readonly busyMs: number
}

/** Looks at a task between two slices. */
export function reportTask(
  { parts, processed }: Task,
  { rows, reads }: Pick<TaskReport, 'rows' | 'reads'>,
  worker?: number,
): TaskReport {
  const { sub, partition, clock, meter, feeds } = parts
  meter.refresh()
  const { came, counts, busy, blockedMs, waitingMs } = meter
  let backlog = 0
  const inputs: TaskReport['inputs'][number][] = []
  for (const feed of feeds) {
    if ('backlog' in feed) backlog += feed.backlog as number
    else if ('position' in feed) {
      const { topic, partition: from, position } = feed as unknown as TaskReport['inputs'][number]
      inputs.push({ topic, partition: from, position })
    }
  }
  return {
    sub: sub.id,
    partition,
    ...(worker === undefined ? {} : { worker }),
    since: meter.since,
    inputs,
    processed,
    backlog,
    blockedMs,
    waitingMs,
    watermark: clock.w,
    streamTime: clock.streamTime,
    rows,
    reads,
    steps: sub.steps.map(({ id }) => ({
      id,
      came: came[id] as number,
      out: counts[id] as number,
      busyMs: busy[id] as number,
    })),
  }
}
