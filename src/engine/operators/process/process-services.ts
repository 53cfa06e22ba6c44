import type { KeyValueTable } from '../../../state/stores/index.ts'
import type { CurrentRecord } from '../../runtime/record.ts'
import type { TaskClock } from '../../time/clock.ts'
import type { WallClock } from '../../time/wall.ts'

/** What a step of the user's own code needs of its task. */
export interface ProcessServices {
  readonly taskId: string
  readonly clock: TaskClock
  readonly wall: WallClock
  readonly rec: CurrentRecord
  /** By the names or handles that the step listed. @throws DhaaraError DHAARA_STORE_UNKNOWN */
  store(handle: string | { readonly name: string }): unknown
  readonly eventTimers: KeyValueTable
  readonly wallTimers: KeyValueTable
  counter(name: string): { add(n?: number): void }
  gauge(name: string, read: () => number): void
  /** Runs user code that no record caused; errors go to the policy. */
  guarded(stepId: number, fn: () => void): void
}
