/** Processes of Java that outlive ours. Each has a directory: its process id and what it prints lie there. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jars } from './jars.ts'

const pidFile = (dir: string): string => join(dir, 'pid')

/** @param file its configuration, in the directory */
export function startProcess(dir: string, options: readonly string[], main: string, file: string): void {
  const log = openSync(join(dir, 'log'), 'a')
  const child = spawn('java', [...options, '-cp', jars(), main, join(dir, file)], {
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  writeFileSync(pidFile(dir), String(child.pid))
}

/** Of a process that runs. */
export function pidIn(dir: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(dir), 'utf8'))
    // The number may have gone to another process since.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Resolves when the process has ended. */
export async function stopProcess(dir: string, signal: NodeJS.Signals): Promise<void> {
  const pid = pidIn(dir)
  if (pid === undefined) return
  process.kill(pid, signal)
  for (const until = Date.now() + 20_000; pidIn(dir) !== undefined; await delay(50)) {
    if (Date.now() > until) process.kill(pid, 'SIGKILL')
  }
  rmSync(pidFile(dir), { force: true })
}

/** The end of what it printed. */
export const printed = (dir: string): string => readFileSync(join(dir, 'log'), 'utf8').slice(-2000)

/** Runs one of Kafka's own tools. @returns what it printed */
export function tool(name: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('java', ['-Xmx256m', '-cp', jars(), name, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status === 0) return stdout
  throw new Error(`${name} ${args.join(' ')} failed: ${error?.message ?? stdout + stderr}`)
}
