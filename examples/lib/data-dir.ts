import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { GeneratorParams } from './options.ts'

/** Written into a run's directory: what the events are, and that the example made it. */
const MARK = 'example.json'

export interface Mark {
  readonly example: string
  readonly params: GeneratorParams
  readonly partitions: number
}

/** What a former run of this example left here; undefined if there is nothing. */
export function readMark(dir: string, example: string): Mark | undefined {
  try {
    const mark = JSON.parse(readFileSync(join(dir, MARK), 'utf8')) as Mark
    return mark.example === example ? mark : undefined
  } catch {
    return undefined
  }
}

export function writeMark(dir: string, mark: Mark): void {
  writeFileSync(join(dir, MARK), `${JSON.stringify(mark)}\n`)
}

/**
 * Makes room for a new run: removes what a former run of this example left. Anything else is left alone.
 * @throws Error if the directory holds something else, or is in use
 */
export function clear(dir: string, example: string): void {
  const path = resolve(dir)
  if (!existsSync(path) || readdirSync(path).length === 0) return
  if (readMark(path, example) === undefined || !existsSync(join(path, 'dhaara.json'))) {
    throw new Error(`${path} holds something else than a run of this example. Name another place: --dir path`)
  }
  const owner = ownerOf(path)
  if (owner !== undefined) throw new Error(`${path} is in use by process ${owner}. Stop it, or give --dir path`)
  rmSync(path, { recursive: true })
}

function ownerOf(path: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8')) as { pid: number }
    process.kill(pid, 0)
    return pid
  } catch {
    return undefined
  }
}
