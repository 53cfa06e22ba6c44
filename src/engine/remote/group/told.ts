import type { Cut } from './cut.ts'

/** What a member is told by the group's leader. */
export interface Told {
  readonly tasks: readonly string[]
  /** Tasks of others whose state it is to keep a copy of. */
  readonly standbys: readonly string[]
  /** Those of them that move here when their state is here. */
  readonly warming: readonly string[]
  /** Every task of the app has been told to somebody: none is on its way. */
  readonly settled: boolean
  /** Who has which tasks; absent where the leader does not tell. */
  readonly hosts?: readonly HostTasks[]
  /** Whose tasks are kept for a while. */
  readonly away?: readonly Away[]
  /** For who has asked for it; absent: it cannot be told now. */
  readonly cut?: Cut
}

/** An instance, and where its rows can be asked for. */
export interface HostTasks {
  readonly instance: string
  /** URL; absent: nowhere. */
  readonly at?: string
  readonly tasks: readonly string[]
}

/** Tasks of an instance that has left, kept for it for so much longer, ms. */
export interface Away {
  readonly instance: string
  readonly tasks: readonly string[]
  readonly ms: number
}
