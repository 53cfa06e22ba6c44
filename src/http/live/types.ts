/** What a running app shows of itself each second. A leaf: the console takes its types from here. */

/** The steps as they run, and how records go between them. */
export interface Graph {
  readonly subs: readonly { readonly id: number; readonly name: string }[]
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

export interface GraphNode {
  readonly id: number
  readonly name: string
  /** Of the step: 'source', 'filter', 'aggregate', … */
  readonly kind: string
  readonly sub: number
  /** Carries changes of rows. */
  readonly table: boolean
  readonly stores: readonly string[]
  /** That it reads or writes. */
  readonly topics: readonly string[]
  /** Where the user's code made it, 'file:line'. */
  readonly site?: string
  /** As many records come out of it as go in. */
  readonly passes: boolean
}

export interface GraphEdge {
  readonly from: number
  readonly to: number
  /** Through a change of key, from one task to others. */
  readonly shuffle: boolean
}

/** How everything is at one moment. Counts and milliseconds are totals since the start; rates are differences of two ticks. */
export interface Tick {
  /** Epoch ms. */
  readonly at: number
  readonly state: string
  readonly upMs: number
  readonly recordsIn: number
  readonly recordsOut: number
  /** By id; those of all tasks together. */
  readonly steps: readonly StepTick[]
  readonly tasks: readonly TaskTick[]
  readonly inputs: readonly InputTick[]
  readonly stores: readonly StoreTick[]
  /** Of the last second; null where nothing was committed. */
  readonly latency: Percentiles | null
  readonly checkpoints: CheckpointTick
  readonly process: ProcessTick
  /** Records that went wrong, and how many kinds of errors there are. */
  readonly errors: { readonly count: number; readonly kinds: number }
}

export interface StepTick {
  readonly id: number
  readonly in: number
  readonly out: number
  readonly busyMs: number
  /** By reason: late, null-key, failed, … */
  readonly dropped: Readonly<Record<string, number>>
}

export interface TaskTick {
  readonly id: string
  readonly sub: number
  readonly partition: number
  readonly worker: number | null
  readonly processed: number
  readonly backlog: number
  readonly busyMs: number
  readonly blockedMs: number
  readonly waitingMs: number
  /** Epoch ms; null: none yet, or at the end. */
  readonly watermark: number | null
  readonly streamTime: number | null
}

export interface InputTick {
  readonly topic: string
  readonly partition: number
  /** Offset of the first record that was not processed; null where that is not known. */
  readonly position: number | null
  readonly end: number
}

export interface StoreTick {
  readonly name: string
  /** About. */
  readonly rows: number
}

export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface CheckpointTick {
  readonly count: number
  /** Of the last second: mean and longest time to write one, ms. */
  readonly ms: number | null
  readonly maxMs: number | null
  readonly bytes: number
}

export interface ProcessTick {
  /** Cores in use over the last second. */
  readonly cpu: number
  readonly rssBytes: number
  readonly heapBytes: number
  /** How late the event loop of the app's own thread was at worst, ms. */
  readonly loopMs: number
}

/** A second of the past, for charts. */
export interface Point {
  readonly at: number
  /** Records a second. */
  readonly in: number
  readonly out: number
  readonly latency: Percentiles | null
  readonly checkpointMs: number | null
  /** Records that wait in inputs. */
  readonly lag: number
  readonly cpu: number
}
