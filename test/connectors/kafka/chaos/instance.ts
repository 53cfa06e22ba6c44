import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

const script = new URL('./run-instance.ts', import.meta.url).pathname

/** An instance of an app in a process of its own, which is started again when it ends by itself. */
export class Instance {
  output = ''
  /** How often it has ended without having been told to, and nothing that was done to it explains it. */
  failures = 0
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  #wanted = false
  #excused = false

  constructor(...args: string[]) {
    this.#args = args
  }

  start(): void {
    this.#wanted = true
    const child = spawn(process.execPath, [script, ...this.#args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.output += `\n--- process ${child.pid}\n`
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => {
        this.output = (this.output + text).slice(-20_000)
      })
    child.once('exit', (code, signal) => {
      if (this.#child !== child || !this.#wanted) return
      if (!this.#excused) this.failures++
      this.#excused = false
      this.output += `--- ended by itself: ${code ?? signal}\n`
      this.start()
    })
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
    await gone
    clearTimeout(timer)
  }

  /** Not a step more, until `wake`. */
  stop(): void {
    this.#child?.kill('SIGSTOP')
  }

  wake(): void {
    this.#child?.kill('SIGCONT')
  }

  /** From now on no file takes another byte: it ends, and is started with a disk that has room. */
  fillDisk(): void {
    this.#excused = true
    execFileSync('prlimit', ['--pid', String(this.#child?.pid), '--fsize=1:unlimited'])
  }
}
