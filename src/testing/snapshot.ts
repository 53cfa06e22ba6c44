import type { Manifest } from '../engine/app/state/manifest.ts'
import type { Backend, Row } from '../state/backend.ts'

declare const brand: unique symbol
/** A driver's checkpoint: its state, positions, watermarks and timers. Opaque; for `{restore}`. */
export interface DriverSnapshot {
  readonly [brand]: 'snapshot'
}

export interface SnapshotContent {
  /** Of the topology that it is of. */
  readonly manifest: Manifest
  readonly rows: readonly Row[]
  readonly storeIds: readonly (readonly [string, number])[]
  /** Next offset of each input partition. */
  readonly offsets: readonly (readonly [string, number])[]
  readonly now: number
  /** Inputs that have ended. */
  readonly ended: readonly string[]
  /** Topics that were sent to. */
  readonly topics: readonly string[]
  readonly epoch: number
}

export function snapshotRows(backend: Backend): Row[] {
  return Array.from(backend.range({}), ([key, value]) => [Buffer.from(key), Buffer.from(value)] as const)
}

export const seal = (content: SnapshotContent): DriverSnapshot => content as unknown as DriverSnapshot
export const unseal = (snapshot: DriverSnapshot): SnapshotContent => snapshot as unknown as SnapshotContent
