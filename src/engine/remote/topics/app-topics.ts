import type { RemoteTopic } from '../../../connectors/broker/remote.ts'
import type { Changelog } from '../state/changelog.ts'

/** The topics that an app meets, and how its plan is spread over them. */
export interface AppTopics {
  /** All that exist, by name. */
  readonly all: ReadonlyMap<string, RemoteTopic>
  /** Of each sub-topology. */
  readonly partitions: readonly number[]
  readonly changelogs: readonly Changelog[]
  readonly repartitions: readonly { readonly topic: string; readonly partitions: number; readonly sub: number }[]
}
