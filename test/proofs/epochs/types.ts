import type { Mutant } from './mutants.ts'

/** A record of the input; times ascend within a source partition, ids are unique over all of them. */
export interface SourceRecord {
  readonly ts: number
  readonly key: string
  readonly id: number
}

/** What is simulated: the shape of the group, its limits, its input, and the error that is built in (if any). */
export interface Setup {
  readonly workers: number
  /** Partitions of the source and of both repartitions: task (stage, p) runs on worker p mod workers. */
  readonly partitions: number
  readonly stages: number
  /** Epochs that may be open or sealed without being written, besides the current one. */
  readonly k: number
  /** Frames that a channel may hold before its producer stops taking records. */
  readonly capacity: number
  /** Unwritten state entries at which a task stops applying. */
  readonly budget: number
  readonly sources: readonly (readonly SourceRecord[])[]
  readonly mutant?: Mutant
  /** False: look at the committed output alone, as an outsider would. */
  readonly invariants: boolean
}

/** A record on its way: `epoch` is the producer's when it was sent, `watermark` the producer's before it. */
export interface RecordFrame extends SourceRecord {
  readonly kind: 'record'
  readonly generation: number
  readonly epoch: number
  readonly seq: number
  readonly watermark: number
}

/** Time without a record: a watermark, or idleness. */
export interface ControlFrame {
  readonly kind: 'control'
  readonly generation: number
  readonly epoch: number
  readonly watermark: number
  readonly idle: boolean
}

/** The producer has sealed `epoch`: nothing with a tag <= epoch follows in this channel. */
export interface MarkerFrame {
  readonly kind: 'marker'
  readonly generation: number
  readonly epoch: number
}

export type Frame = RecordFrame | ControlFrame | MarkerFrame

export type Output =
  | { readonly kind: 'update'; readonly task: string; readonly key: string; readonly id: number; readonly n: number }
  | { readonly kind: 'late'; readonly task: string; readonly key: string; readonly id: number; readonly start: number }
  | {
      readonly kind: 'close'
      readonly task: string
      readonly key: string
      readonly start: number
      readonly ids: readonly number[]
    }

/** One input channel of a task as of an epoch. */
export interface InputCut {
  applied: number
  watermark: number
  idle: boolean
  inFlight: RecordFrame[]
}

/** One task as of an epoch: all that is written and restored. */
export interface TaskCut {
  position: number
  watermark: number
  idle: boolean
  sent: number[]
  inputs: InputCut[]
}

/** What a task adds with an epoch: its cut, the changed state as bytes (null = deleted), its output. */
export interface TaskPart extends TaskCut {
  delta: Map<string, string | null>
  outputs: Output[]
}

/** A worker's part of an epoch: complete when nothing of it can still arrive. */
export interface Part {
  readonly generation: number
  readonly epoch: number
  readonly worker: number
  readonly tasks: Map<string, TaskPart>
}

/** From the coordinator to a worker. */
export interface Order {
  readonly kind: 'seal' | 'written' | 'restore'
  readonly generation: number
  readonly epoch: number
}
