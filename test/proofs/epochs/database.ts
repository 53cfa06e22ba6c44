import type { Output, Part, Setup, TaskCut } from './types.ts'

/** `(stage, partition)` as a name. */
export const taskName = (stage: number, partition: number): string => `${stage}.${partition}`

/** What survives a crash. One write is one epoch, all of it or nothing. */
export class Database {
  /** The last epoch written. */
  epoch = 0
  readonly state = new Map<string, Map<string, string>>()
  readonly cuts = new Map<string, TaskCut>()
  readonly output: Output[] = []

  constructor(setup: Setup) {
    for (let stage = 0; stage < setup.stages; stage++) {
      for (let p = 0; p < setup.partitions; p++) {
        this.state.set(taskName(stage, p), new Map())
        this.cuts.set(taskName(stage, p), {
          position: 0,
          watermark: Number.NEGATIVE_INFINITY,
          idle: false,
          sent: Array.from({ length: setup.partitions }, () => 0),
          inputs: Array.from({ length: stage === 0 ? 0 : setup.partitions }, () => ({
            applied: 0,
            watermark: Number.NEGATIVE_INFINITY,
            idle: false,
            inFlight: [],
          })),
        })
      }
    }
  }

  /** Every task's time has ended: nothing can follow this epoch. */
  get completed(): boolean {
    return [...this.cuts.values()].every((cut) => cut.watermark === Number.POSITIVE_INFINITY)
  }

  write(epoch: number, parts: readonly Part[], mutant: Setup['mutant']): void {
    for (const part of parts) {
      for (const [task, { delta, outputs, ...cut }] of part.tasks) {
        if (mutant === 'keepOldInFlight') {
          const old = this.cuts.get(task)
          cut.inputs.forEach((input, i) => {
            input.inFlight.unshift(...(old?.inputs[i]?.inFlight ?? []))
          })
        }
        const state = this.state.get(task)
        for (const [key, bytes] of delta) {
          if (bytes === null) state?.delete(key)
          else state?.set(key, bytes)
        }
        this.cuts.set(task, cut)
        this.output.push(...outputs)
      }
    }
    this.epoch = epoch
  }
}
