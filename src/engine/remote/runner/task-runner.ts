import type { Membership } from '../../../connectors/broker/remote.ts'
import type { CheckpointEvent, EngineReport } from '../../app/engine.ts'
import type { RawQuery, RawRows, RawValues } from '../../query/index.ts'
import type { TaskId } from '../../runtime/host.ts'
import type { Offsets } from '../inputs.ts'
import type { Positions } from '../positions.ts'
import type { AppTopics } from '../topics/app-topics.ts'
import type { Teller, Written } from '../queries/watches.ts'

/** Tasks that a runner is to run from now on, and no others. Their rows lie in the local state. */
export interface Assignment {
  readonly tasks: readonly TaskId[]
  readonly topics: AppTopics
  /** Of tasks that it did not run before. */
  readonly positions: Positions
  /** Where bounded inputs end. */
  readonly ends: Offsets
  readonly membership: Membership
}

/** What runs tasks that commit together: in this thread, or in a worker. */
export interface TaskRunner extends Teller {
  /** Whoever wrote under this name before can do so no more. Does nothing if that is done. */
  fence(): Promise<void>
  /** Commits, and goes on with these tasks. False: the commit was refused, as `refused` tells. */
  assign(assignment: Assignment): Promise<boolean>
  /**
   * Works on without committing. Resolves when no commit is under way.
   *
   * @returns whether all that has left is committed
   */
  hold(): Promise<boolean>
  /** Resolves when the commit that is under way, if one is, is done or refused, and its rows are written. */
  settle(): Promise<void>
  /** Commits again, as this member. */
  release(membership: Membership): void
  /** Lets go of all tasks without a commit, since others may have them. It must be fenced then. */
  lose(): Promise<void>
  bound(ends: Offsets): void
  fill(topics: readonly string[]): void
  /** Commits, and ends. */
  stop(): Promise<void>
  /** Ends as it is: what is not committed is done again by whoever has the tasks next. */
  abandon(): Promise<void>
  ask(sub: number, partition: number, store: string, query: RawQuery): Promise<RawRows | RawValues>
  positionOf(topic: string, partition: number): number | undefined
  report(): EngineReport
}

export interface RunnerEvents {
  checkpoint(event: CheckpointEvent): void
  /** Rows that are watched were written; before the checkpoint is told. @param runner which of the instance's */
  written(written: Written, runner?: number): void
  /** A commit failed: it runs no tasks now, and must be fenced. */
  refused(error: Error): void
  failed(error: unknown): void
  /** All inputs of these tasks have ended, and everything is committed; none: that is so no more. */
  ended(tasks: readonly TaskId[]): void
}
