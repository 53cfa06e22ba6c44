import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { temporaryDirectories } from '../../../connectors/embedded/backends.ts'
import type { Told, ToWrite } from './child.ts'
import { keys, type Positions, Reader } from './client.ts'
import { History } from './history.ts'
import { type Write, writesTopic } from './registers.ts'

/** With DHAARA_LONG, as many lives as it says, or 60. */
const lives = process.env['DHAARA_LONG'] ? Math.max(60, Number(process.env['DHAARA_LONG'])) : 3
const readers = 3

/** One process, from its start to its end. */
class Life {
  url: string | undefined
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>
  #next = 1

  constructor(dir: string, marks: string) {
    this.#child = fork(new URL('./child.ts', import.meta.url), [dir, marks], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#gone = once(this.#child, 'exit').then((how) => {
      this.url = undefined
      return how
    })
  }

  async started(): Promise<Readonly<Record<string, number>>> {
    const told = await this.#hear((one) => one.type === 'started')
    assert.ok(told?.type === 'started', 'it ended while it started')
    this.url = told.url
    return told.lasts
  }

  /** @returns the positions of all that was written; undefined: it ended before it said so */
  async write(writes: ToWrite['writes']): Promise<Positions | undefined> {
    const id = this.#next++
    const written = this.#hear((one) => one.type === 'written' && one.id === id)
    this.#child.send({ id, writes } satisfies ToWrite)
    const told = await written
    if (told?.type !== 'written') return undefined
    return { [writesTopic]: Object.fromEntries(told.ends.flatMap((end, p) => (end > 0 ? [[p, end - 1]] : []))) }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (signal === 'SIGKILL') this.url = undefined
    this.#child.kill(signal)
    await this.#gone
  }

  async #hear(wanted: (told: Told) => boolean): Promise<Told | undefined> {
    let listen = (_: Told): void => {}
    const heard = new Promise<Told>((resolve) => {
      listen = (told) => wanted(told) && resolve(told)
      this.#child.on('message', listen)
    })
    const told = await Promise.race([heard, this.#gone.then(() => undefined)])
    this.#child.off('message', listen)
    return told
  }
}

describe('committed reads, while processes are killed and workers end', () => {
  const directory = temporaryDirectories()

  it('never go back, show nothing that a crash takes away, and have what minPosition names', async () => {
    const [dir, marks] = [directory(), directory()]
    const history = new History()
    let life: Life | undefined
    let over = false
    let ends = 0
    const reader = new Reader(history, () => life?.url)
    const reading = Array.from({ length: readers }, async (_, i) => {
      for (let turn = i; !over; turn++) {
        await reader.read(turn)
        await setImmediate()
      }
    })
    const failed = Promise.race(reading.map((one) => one.then(() => new Promise<never>(() => {}))))
    failed.catch(() => {})
    const batch = (): ToWrite['writes'] =>
      Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => {
        const key = keys[Math.floor(Math.random() * keys.length)] as string
        const write: Write = { n: history.begin(key), ...(Math.random() < 0.004 ? { ends: String(ends++) } : {}) }
        return [key, write] as const
      })
    const named = (): Map<string, number> => new Map(keys.map((key) => [key, history.sentOf(key)]))
    let asked = 0
    const live = async (last: boolean): Promise<void> => {
      const now = new Life(dir, marks)
      life = now
      const lasts = await now.started()
      for (const key of keys) history.settle(key, lasts[key] ?? 0)
      for (let left = 8 + Math.floor(Math.random() * 25); left > 0; left--) {
        const positions = await now.write(batch())
        assert.ok(positions !== undefined, 'it ended by itself')
        if (left % 4 === 0 && (await reader.readFrom(positions, named()))) asked++
      }
      if (last) {
        const positions = await now.write([])
        assert.ok(positions !== undefined)
        while (!(await reader.readFrom(positions, named()))) await setImmediate()
        await now.end('SIGTERM')
        return
      }
      // in the midst of a write
      const writing = now.write(batch())
      await now.end(Math.random() < 0.7 ? 'SIGKILL' : 'SIGTERM')
      await writing
    }
    try {
      for (let n = 1; n <= lives; n++) await Promise.race([live(n === lives), failed])
    } finally {
      over = true
      await life?.end('SIGKILL')
    }
    await Promise.all(reading)
    assert.ok(history.reads > lives * 20, `${history.reads} reads`)
    assert.ok(asked > lives, `${asked} reads from a position`)
  }).timeout(120_000 + lives * 60_000)
})
