import { resolve } from 'node:path'
import type { OwnedLog } from '../../connectors/broker/index.ts'
import type { TopicFile } from '../arguments.ts'
import type { PlanTopics } from '../plan-topics.ts'
import { RowWriter } from './row-writer.ts'
import { TopicTail } from './tail.ts'
import { fileTarget, standardOutput, type Target } from './targets.ts'

/** All outputs of a run. */
export class OutputFiles {
  readonly tails: readonly TopicTail[]
  readonly #targets: readonly Target[]
  readonly #listening: Disposable
  readonly #failed: (error: unknown) => void
  #running: Promise<void> | undefined
  #again = false
  #broken = false

  private constructor(
    tails: readonly TopicTail[],
    targets: readonly Target[],
    log: OwnedLog,
    failed: (error: unknown) => void,
  ) {
    this.tails = tails
    this.#targets = targets
    this.#failed = failed
    const topics = new Set(tails.map(({ topic }) => topic))
    this.#listening = log.onAppend((appended) => {
      if (appended.some(({ topic }) => topics.has(topic))) this.wake()
    })
  }

  /** @param atOnce files are replaced at the end, and not written as it goes */
  static async open(
    outputs: readonly TopicFile[],
    topics: PlanTopics,
    log: OwnedLog,
    options: { readonly atOnce: boolean; gone(): void; failed(error: unknown): void },
  ): Promise<OutputFiles> {
    const byFile = Map.groupBy(outputs, ({ file }) => (file === '-' ? file : resolve(file)))
    const tails: TopicTail[] = []
    const targets: Target[] = []
    try {
      for (const [file, shared] of byFile) {
        const target = file === '-' ? standardOutput(options.gone) : await fileTarget(file, options.atOnce)
        targets.push(target)
        for (const topic of new Set(shared.map((output) => output.topic))) {
          const rows = new RowWriter(topic, topics.serdesOf(topic), {
            topic: new Set(shared.map((o) => o.topic)).size > 1,
          })
          tails.push(new TopicTail(topic, log, rows, target))
        }
      }
    } catch (error) {
      for (const target of targets) await target.close(false)
      throw error
    }
    return new OutputFiles(tails, targets, log, options.failed)
  }

  get written(): number {
    return this.tails.reduce((sum, tail) => sum + tail.written, 0)
  }

  /** Something was appended. */
  wake(): void {
    this.#again = true
    this.#running ??= this.#run()
  }

  /** Writes what is left, and lets go of the files. */
  async close(whole: boolean): Promise<void> {
    this.wake()
    while (this.#running !== undefined) await this.#running
    this.#listening[Symbol.dispose]()
    for (const target of this.#targets) await target.close(whole && !this.#broken)
  }

  async #run(): Promise<void> {
    await Promise.resolve()
    try {
      while (this.#again) {
        this.#again = false
        for (const tail of this.tails) await tail.drain()
      }
    } catch (error) {
      this.#again = false
      this.#broken = true
      this.#failed(error)
    } finally {
      this.#running = undefined
    }
  }
}
