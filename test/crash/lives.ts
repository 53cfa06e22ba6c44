import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inputs, partitions } from './expected.ts'

/** What a process is to do. */
export interface Task {
  readonly dir: string
  readonly seed: number
  readonly count: number
  /** How many orders may be in the topic that no checkpoint has: many checkpoints then, however slow the machine is. */
  readonly ahead: number
  readonly workers: number
}

export type Position = readonly [topic: string, partition: number, offset: number]

export type Line =
  | { readonly type: 'spawned' }
  | { readonly type: 'restored'; readonly positions: readonly Position[] }
  | { readonly type: 'running'; readonly openMs: number; readonly startMs: number }
  | { readonly type: 'checkpoint'; readonly epoch: number; readonly recordsIn: number }
  /** Asked to end, or at the end of its input. */
  | { readonly type: 'stopped' | 'done'; readonly recordsIn: number }

/** One process from start to end. */
export interface Life {
  readonly lines: readonly Line[]
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** A process that gets nowhere for so long is stuck, however busy the machine is: it tells of each checkpoint. */
const mostSilence = 120_000
/** For mocha, which knows nothing of progress. */
export const longest = 1_800_000

/** Runs the job in a process of its own. `meddle` sees each line, and may end the process. */
export async function live(
  task: Task,
  meddle: (line: Line, child: ChildProcess) => void = () => {},
  env: Readonly<Record<string, string>> = {},
): Promise<Life> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), JSON.stringify(task)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: Line[] = []
  let stderr = ''
  let stuck = false
  const watch = setTimeout(() => {
    stuck = true
    child.kill('SIGKILL')
  }, mostSilence)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000)
  })
  createInterface(child.stdout).on('line', (text) => {
    // a killed process may leave half a line
    if (!text.endsWith('}')) return
    const line = JSON.parse(text) as Line
    lines.push(line)
    watch.refresh()
    meddle(line, child)
  })
  meddle({ type: 'spawned' }, child)
  const closed = Promise.withResolvers<[number | null, NodeJS.Signals | null]>()
  child.once('close', (code, signal) => closed.resolve([code, signal]))
  const [code, signal] = await closed.promise
  clearTimeout(watch)
  assert.ok(!stuck, `nothing was heard for ${mostSilence} ms after ${JSON.stringify(lines.at(-1))}: ${stderr}`)
  return { lines, code, signal, stderr }
}

/**
 * Restarts the process until it is done.
 * @param meddle as `live`; a life that ends otherwise than by a signal or when done is an error
 */
export async function liveOn(
  task: Task,
  meddle: (line: Line, child: ChildProcess, life: number) => void,
  env: (life: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<readonly Life[]> {
  const lives: Life[] = []
  for (;;) {
    const n = lives.length
    const life = await live(task, (line, child) => meddle(line, child, n), env(n))
    lives.push(life)
    assertNothingReplayed(lives)
    if (life.signal !== null) continue
    assert.equal(life.code, 0, `life ${n} ended with ${life.code}: ${life.stderr}`)
    if (life.lines.some(({ type }) => type === 'done')) return lives
  }
}

/** Each life goes on at, or behind, what those before it have told to be written. */
function assertNothingReplayed(lives: readonly Life[]): void {
  let floor = 0
  for (const [n, life] of lives.entries()) {
    const from = positionsOf(life)
    if (from === undefined) continue
    const position = from.reduce((sum, [, , offset]) => sum + offset, 0)
    assert.ok(position >= floor, `${floor} records were checkpointed, and life ${n} began at ${position}`)
    const told = life.lines.map((line) => (line.type === 'checkpoint' ? line.recordsIn : 0))
    floor = position + Math.max(0, ...told)
  }
}

/** Where a life began; undefined: it ended before all of its tasks were restored. */
function positionsOf({ lines }: Life): readonly Position[] | undefined {
  const seen = new Map<string, Position>()
  for (const line of lines) {
    if (line.type !== 'restored') continue
    for (const position of line.positions) {
      const name = `${position[0]} ${position[1]}`
      if (!seen.has(name)) seen.set(name, position)
    }
  }
  return seen.size === inputs * partitions ? [...seen.values()] : undefined
}

/** Fills the cache of compiled sources: only a process that ends by itself writes it. */
export async function warmUp(): Promise<void> {
  const { code, stderr } = await live({ dir: freshDir(), seed: 1, count: 100, ahead: 100, workers: 1 })
  assert.equal(code, 0, stderr)
}

export function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-crash-'))
  dirs.push(dir)
  return dir
}

const dirs: string[] = []

export function removeDirs(): void {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
}
