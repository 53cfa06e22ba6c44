import type { EventEntry } from './buffer.ts'
import type { Family } from './run.ts'

/** Events in a row that are stored together, with the runs that began with one of them. */
const EVENTS = 4

export const chunkOf = (seq: number): number => Math.floor(seq / EVENTS)

/** The number of a chunk's first event. */
export const firstOf = (chunk: number): number => chunk * EVENTS

/** What is in memory of one chunk: state is stored chunk by chunk, and what changed is found without looking at the rest. */
export class Chunk {
  readonly n: number
  /** Events held; each leads to the next. */
  first: EventEntry | null = null
  readonly families: Family[] = []
  /** Changed since somebody asked. */
  dirty = false

  constructor(n: number) {
    this.n = n
  }
}
