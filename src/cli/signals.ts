import { exitCode } from './exit.ts'

/** Ctrl-C and the like: the first asks for a clean close, the second ends the process at once. */
export class Signals implements Disposable {
  readonly #controller = new AbortController()
  readonly #handlers: readonly (readonly [NodeJS.Signals, () => void])[]
  #code: number | undefined

  constructor(told: (signal: NodeJS.Signals) => void) {
    const codes = { SIGINT: exitCode.interrupted, SIGTERM: exitCode.terminated }
    this.#handlers = Object.entries(codes).map(([name, code]) => {
      const signal = name as NodeJS.Signals
      const handler = (): void => {
        if (this.#code !== undefined) process.exit(code)
        this.#code = code
        told(signal)
        this.#controller.abort()
      }
      process.on(signal, handler)
      return [signal, handler] as const
    })
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The exit code that the signal asks for. */
  get code(): number | undefined {
    return this.#code
  }

  [Symbol.dispose](): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler)
  }
}
