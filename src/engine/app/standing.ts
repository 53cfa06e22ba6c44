import type { EmbeddedLease } from '../../connectors/broker/broker.ts'
import type { RemoteLog } from '../../connectors/broker/remote.ts'
import type { Backend } from '../../state/backend.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import type { TaskReport } from '../metrics/index.ts'
import type { Queries } from '../query/index.ts'
import type { RemoteEvents } from '../remote/engine-parts.ts'
import type { Routing } from '../remote/queries/routing.ts'
import type { Engine } from './engine.ts'
import type { AppOptions, Settings } from './settings/options.ts'
import type { LoadedProgram } from './program.ts'

/** What an app stands on, from when it was opened until it is released. */
export interface Ground {
  /** Where state lies, if it lies in this process alone. */
  readonly backend?: Backend
  readonly embedded?: EmbeddedLease
  /** Topics that lie elsewhere. */
  readonly remoteLog?: RemoteLog
  release(): Promise<void>
}

/** What runs an app's tasks, and answers for their state. */
export interface Standing {
  readonly engine: Engine
  readonly queries: Queries
  /** To other instances' rows, where there may be others. */
  readonly routing?: Routing
}

/** What an app is set up with. */
export interface StandingParts {
  readonly options: AppOptions
  readonly settings: Settings
  readonly program: LoadedProgram
  readonly plan: PhysicalPlan
  readonly events: RemoteEvents
  /** URL where other instances ask this one. */
  readonly advertised: string | undefined
  /** Called as soon as something is held that must be released. */
  hold(ground: Ground): void
  /** State is there: the user's own set-up runs. */
  restoring(): Promise<void>
  savepoint(folder: string): Promise<unknown>
}

/** Rows of a store, as counted while they were written; undefined: some task does not know. */
export function rowsOf(
  tasks: readonly TaskReport[],
  store: string,
  sub: number,
  partitions: readonly number[],
): number | undefined {
  const own = tasks.filter((task) => task.sub === sub && partitions.includes(task.partition))
  const counts = own.map(({ rows }) => rows[store]).filter((n) => n !== undefined)
  return counts.length < partitions.length ? undefined : counts.reduce((sum, n) => sum + n, 0)
}
