import type { PhysicalPlan } from '../../../../src/engine/plan/physical.ts'
import type { Feed } from '../../../../src/engine/runtime/inputs/feed.ts'
import { TaskGroup } from '../../../../src/engine/runtime/tasks/group.ts'
import { Outputs } from '../../../../src/engine/runtime/outputs.ts'
import { MemoryBackend } from '../../../../src/state/backends/memory.ts'

/** The only input of a plan with one sub-topology, on an empty memory back end. */
export function oneTask(plan: PhysicalPlan): Feed {
  return oneGroup(plan).tasks[0]?.parts.feeds[0] as Feed
}

export function oneGroup(plan: PhysicalPlan): TaskGroup {
  return new TaskGroup(
    plan,
    [1],
    [{ sub: 0, partition: 0 }],
    {
      reader: new MemoryBackend(),
      outputs: new Outputs(() => 1),
      storeId: () => 1,
      partitionsOf: () => 1,
      topics: () => [],
      fetch: () => undefined,
      behind: () => false,
      startOffset: () => 0,
      now: () => 0,
      onUserError: () => 'fail',
      onDataError: () => 'fail',
      deadLetter() {},
      deadLetterRaw() {},
      options: {
        careful: false,
        strict: false,
        codegen: true,
        cacheBytes: 0,
        maxTimestampAhead: Number.POSITIVE_INFINITY,
        maxTaskIdle: 0,
        emptyIdle: 0,
        batchSize: 1000,
      },
    },
    1,
  )
}
