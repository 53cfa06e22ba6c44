/** What the harness asks of whatever it measures. */
import type { Chunk } from '../workload/chunks.ts'
import type { Measured, RunSpec } from './run.ts'
import type { RowSink } from './sink.ts'

export interface SubjectContext<Item = never> {
  /** Where output goes. */
  readonly sink: RowSink
  /** An empty folder of this run's own, removed afterwards. */
  readonly dir: string
  /** For a subject that has several; `default` if it was not named. */
  readonly variant: string
  /** The parsed records, in cases whose input is objects in memory. The same ones come with every chunk. */
  readonly objects: readonly Item[]
}

/**
 * A subject lives in a fresh process: `setup` (not timed), `run` for the warm-up's chunks (not timed), `run` for the
 * others and `finish` (timed), `close` (not timed). State goes on from the warm-up, and the check covers all of it.
 */
export interface Running<Item = never> {
  /** Handles every record of the chunk; when it returns all their output has been handed over, save what time holds back. */
  run(chunk: Chunk, parsed: readonly Item[]): void | Promise<void>
  /** Until nothing is under way: for subjects that go on when `run` has returned. Not timed; called before the clock first starts. */
  settle?(): Promise<void>
  /** End of input: windows close, the last checkpoint is written. */
  finish(): void | Promise<void>
  close?(): void | Promise<void>
}

/** A subject's module exports this as `subject`. */
export interface Subject<Item = never> {
  setup(context: SubjectContext<Item>): Running<Item> | Promise<Running<Item>>
}

/**
 * A case's `reference.ts` exports this as `reference`: the same results as plainly as can be, sharing no code with any
 * subject. Yields one row after the other, in any order; where rows are counted and not written, a number each.
 */
export type Reference<Item> = (items: Iterable<Item>) => Iterable<unknown>

/** A subject of a case. */
export interface BenchSubject {
  readonly name: string
  readonly variants: readonly string[]
  /** Absolute path of the folder that has its file, if it is not the case's own. */
  readonly folder?: string
  /** For what is no module of ours: runs it in a process of its own. */
  readonly run?: (job: OutsideJob) => Promise<Measured>
}

/** What a program that is not ours is to do. */
export interface OutsideJob extends RunSpec {
  readonly case: string
  readonly variant: string
}

/** One benchmark: what is fed, what is compared, and by which figure. */
export interface BenchCase {
  readonly name: string
  /** One line for people. */
  readonly summary: string
  /** Absolute path of the folder with `hand-written.ts`, `reference.ts` and the other subjects, one file each. */
  readonly folder: string
  /** Names the workload file; equal names mean equal bytes. */
  readonly workload: string
  /** A fresh generator of records. */
  readonly generator: () => () => unknown
  /** False: what the end of the input brings is not timed, since it is about what the warm-up has left. */
  readonly endTimed?: boolean
  /**
   * `objects`: one chunk is parsed beforehand and run again and again. `parsed`: each chunk is parsed while the clock
   * stands still.
   */
  readonly input: 'bytes' | 'objects' | 'parsed'
  readonly warmUp: number
  /** Timed records, unless a time is asked for. */
  readonly records: number
  readonly ratioOf: 'cpu' | 'wall'
  /** Subject that the others are held against. */
  readonly yardstick: string
  /** Absolute path of the folder that has its file, if it is not the case's own. */
  readonly yardstickFolder?: string
  /** Other subjects, measured where their file exists; with the variants of each. */
  readonly subjects: readonly BenchSubject[]
  /** Each line of the yardstick against a subject, not of a subject against the yardstick: for others' engines beside ours. */
  readonly turned?: boolean
  /** Too long to run unasked. */
  readonly onlyNamed?: boolean
  /** Another case whose subject of the same name is a yardstick as well. */
  readonly alsoAgainst?: string
}
