import type { PaneGrid } from './panes.ts'

/**
 * Which windows a timestamp belongs to: `lastStart(t)`, `previous(…)`, … while `endOf(…) > t`. A window is known by a number
 * of its own, in the order of closing: its start, where no two windows start together.
 */
export interface WindowAssigner {
  /** Start of the latest window that holds t. */
  lastStart(t: number): number
  /** Start of the window before; -1 if there is none (no window starts before 0). */
  previous(start: number): number
  next(start: number): number
  /** Where the window of this number begins. */
  startOf(start: number): number
  /** Exclusive. */
  endOf(start: number): number
  /** Windows do not overlap. */
  readonly single: boolean
  /** Of windows of one length that overlap. */
  readonly panes?: PaneGrid
}
