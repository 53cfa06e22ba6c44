import type { RemoteLog, RemoteMember } from '../../connectors/broker/remote.ts'
import type { EngineEvents } from '../app/engine.ts'
import type { StoreIds } from '../app/state/identity.ts'
import type { Settings } from '../app/settings/options.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import type { ChangelogRows } from './state/changelog.ts'
import type { Crew, HireRunner } from './runner/crew.ts'
import type { Inputs } from './inputs.ts'
import type { LocalState } from './state/local-state.ts'
import type { Ends } from './positions.ts'
import type { RestoreProgress } from './state/read-changelogs.ts'
import type { Standbys } from './state/standbys.ts'

export interface RemoteEvents extends EngineEvents {
  restore(progress: RestoreProgress): void
}

/** What an instance is given. */
export interface EngineParts {
  readonly plan: PhysicalPlan
  readonly settings: Settings
  readonly log: RemoteLog
  readonly local: LocalState
  readonly ids: StoreIds
  readonly hire: HireRunner
  readonly events: RemoteEvents
  /** URL where other instances can ask this one for rows. */
  readonly at: string | undefined
  /** What waits for sinks that are gone goes, too. */
  readonly dropLeft: boolean
}

/** What it works with once its topics are found. */
export interface Share {
  readonly member: RemoteMember
  /** Others when topics have come. */
  inputs: Inputs
  readonly rows: ChangelogRows
  readonly ends: Ends
  readonly crew: Crew
  readonly standbys: Standbys
}
