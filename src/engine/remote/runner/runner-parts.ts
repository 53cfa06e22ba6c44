import type { Lease } from '../../../connectors/broker/lease.ts'
import type { RemoteLog } from '../../../connectors/broker/remote.ts'
import type { StateBackend } from '../../../state/backend.ts'
import type { Settings } from '../../app/settings/options.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import type { StoreNumbers } from '../state/changelog.ts'
import type { RunnerEvents } from './task-runner.ts'

/** What a runner is made of. */
export interface RunnerParts {
  readonly app: string
  readonly plan: PhysicalPlan
  readonly settings: Settings
  readonly log: RemoteLog
  readonly state: StateBackend
  readonly ids: StoreNumbers
  /** Of this runner alone, and the same after a restart with the same directory. */
  readonly transactionalId: string
  readonly events: RunnerEvents
  /** Of the group's member. */
  readonly lease: Lease
  /** See `Teller`; in memory that others share. */
  readonly writes?: Int32Array
  /** When it has ended. */
  readonly onStop?: () => void
}
