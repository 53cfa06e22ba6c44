import type { OwnedLog } from '../broker/log.ts'

/** Lets readers of one topic wait for what comes next, without polling. */
export class Appends implements Disposable {
  readonly #listening: Disposable
  #waiting: PromiseWithResolvers<void> | undefined

  constructor(log: OwnedLog, topic: string) {
    this.#listening = log.onAppend((appended) => {
      if (this.#waiting !== undefined && appended.some((a) => a.topic === topic)) this.wake()
    })
  }

  /** Resolves at the next append, or when woken. To be called in the same turn in which nothing was found. */
  next(): Promise<void> {
    this.#waiting ??= Promise.withResolvers()
    return this.#waiting.promise
  }

  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]()
    this.wake()
  }
}
