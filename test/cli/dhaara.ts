import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Order } from './fixtures/topology.ts'

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  /** The first line from now on, on standard output or error, that fits. Rejects if the command ends without. */
  line(pattern: RegExp): Promise<string>
}

const main = resolve('src/cli/main.ts')
export const shop = fileURLToPath(new URL('fixtures/topology.ts', import.meta.url))

/** Starts the command as a shell would. */
export function start(args: readonly string[], cwd?: string): Running {
  const child = spawn(resolve('node_modules/.bin/node'), [main, ...args], { cwd, stdio: 'pipe' })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdin.on('error', () => {}) // the command may end before it has read all
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((found, failed) => {
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on('line', (text) => pattern.test(text) && found(text))
      void ended.then(() => failed(new Error(`no line fits ${pattern}; it ended with:\n${out}${err}`)))
    })
  return { child, ended, line }
}

/** Runs a command to its end. */
export function dhaara(args: readonly string[], input: string | Uint8Array = '', cwd?: string): Promise<Ended> {
  const { child, ended } = start(args, cwd)
  child.stdin.end(input)
  return ended
}

export const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)

export const rowsIn = (file: string): Row[] => linesOf(readFileSync(file, 'utf8')) as Row[]

export interface Row {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
  readonly topic?: string
}

/** Orders of three customers, a minute apart. */
export const orders = (n: number, from = 0): Order[] =>
  Array.from({ length: n }, (_, i) => ({
    id: from + i,
    customer: `c${(from + i) % 3}`,
    total: from + i,
    at: Date.UTC(2026, 9, 20) + (from + i) * 60_000,
  }))

export const jsonLines = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('')

/** A folder for a describe block: emptied and removed after it. */
export function temporaryFolder(): {
  readonly path: (name: string) => string
  write(name: string, text: string | Uint8Array): string
} {
  let root = ''
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'dhaara-cli-'))
  })
  after(() => rmSync(root, { recursive: true, force: true }))
  const path = (name: string): string => join(root, name)
  return {
    path,
    write(name, text) {
      writeFileSync(path(name), text)
      return path(name)
    },
  }
}
