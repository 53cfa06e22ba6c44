/** How long an app takes to start on the state that a killed one has left, and that it does not grow with the state. */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Measured } from '../../../harness/run.ts'
import { lineOf, type ThroughputLine } from '../../../harness/report.ts'
import { summarise } from '../../../harness/statistics.ts'
import type { OtherCase } from '../../../harness/suite.ts'
import type { Life } from './child.ts'

const sizes = [1_000, 1_000_000]
/** Keys that each life looks at again. */
const checked = 500

class State {
  readonly keys: number
  readonly runs: Measured[] = []
  correct = true
  readonly #dir = mkdtempSync(join(tmpdir(), 'dhaara-restart-'))
  #seen = 1

  constructor(keys: number) {
    this.keys = keys
  }

  async fill(): Promise<void> {
    const { rows } = await live(this.#dir, 0, this.keys, 1)
    this.correct = rows === this.keys
  }

  async restart(): Promise<void> {
    const { seconds, cpuSeconds, peakRssMb, rows, sum } = await live(this.#dir, 0, checked, ++this.#seen)
    if (rows !== checked) this.correct = false
    // a record is a restart here
    this.runs.push({ records: 1, seconds, cpuSeconds, peakRssMb, rows, checksum: String(sum) })
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

export const restart: OtherCase = {
  name: 'restart',
  async run(suite, { runs, log }): Promise<ThroughputLine[]> {
    const states = sizes.map((keys) => new State(keys))
    try {
      for (const state of states) {
        log(`restart: filling ${state.keys.toLocaleString('en-US')} keys`)
        await state.fill()
      }
      for (let run = 0; run < runs; run++) for (const state of states) await state.restart()
      const [small] = states.map((state) => summarise(state.runs, 'wall'))
      return states.map((state, i) =>
        lineOf({
          suite,
          case: 'restart',
          subject: 'dhaara',
          variant: `${state.keys}-keys`,
          summary: summarise(state.runs, 'wall'),
          ...(i > 0 && { yardstick: { name: `${sizes[0]}-keys`, summary: small! } }),
          ratioOf: 'wall',
          correct: state.correct,
          checksum: state.runs[0]!.checksum,
        }),
      )
    } finally {
      for (const state of states) state.remove()
    }
  },
}

/** @throws Error if the process ends without an answer. */
function live(dir: string, first: number, keys: number, seen: number): Promise<Life> {
  const args = [dir, first, keys, seen].map(String)
  const child = fork(join(import.meta.dirname, 'child.ts'), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { promise, resolve, reject } = Promise.withResolvers<Life>()
  let life: Life | undefined
  child.on('message', (message) => {
    life = message as Life
  })
  child.on('error', reject)
  child.on('close', (code, signal) => {
    if (signal === 'SIGKILL' && life !== undefined) resolve(life)
    else reject(new Error(`a life ended without being killed (${signal ?? `exit code ${code}`})`))
  })
  return promise
}
