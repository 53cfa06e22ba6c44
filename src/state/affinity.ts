/**
 * Which processors threads may run on (sched_setaffinity(2)). A niceness says who goes first when a processor is free; it takes none
 * from a thread that has one, before the scheduler's next tick. Where the thread that answers has a processor of its own it does
 * not wait at all. Node has no call for it: `taskset` of util-linux makes it.
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

/** Numbers of processors, as `/proc/cpuinfo` and `taskset` have them. */
export interface Cpus {
  /** For the app's own thread, which answers questions. */
  readonly queries: readonly number[]
  /** For all other threads of the process: tasks, checkpoints, compaction, V8's helpers. */
  readonly tasks: readonly number[]
}

const threads = '/proc/self/task'
/** Between two looks for threads that have come since, ms. */
const looking = 1000
/** Threads end meanwhile: only what else goes wrong is told. */
const assigning = 'for thread in "$@"; do taskset -pc "$0" "$thread" > /dev/null || failed=1; done; exit $failed'

/** The threads of this process, on their processors for as long as this is not released. */
export class Affinity {
  private static holder: Affinity | undefined
  private readonly cpus: Cpus
  private readonly warn: (reason: string) => void
  private readonly assigned = new Set<string>()
  private before = ''
  private timer: NodeJS.Timeout | undefined
  private looked: Promise<void> = Promise.resolve()

  /** @param warn told once why threads stay where they were */
  constructor(cpus: Cpus, warn: (reason: string) => void) {
    this.cpus = cpus
    this.warn = warn
  }

  /** The calling thread is the one that answers. Resolves when all threads that there are have their processors. */
  async start(): Promise<void> {
    if (process.platform !== 'linux') return this.warn('only Linux has processors for single threads')
    if (Affinity.holder !== undefined) return this.warn('another app of this process has given out its processors')
    Affinity.holder = this
    this.timer = setInterval(() => this.look(), looking).unref()
    this.look()
    await this.looked
  }

  /** All threads may run where the calling one could before. */
  async release(): Promise<void> {
    if (Affinity.holder !== this) return
    this.stop()
    await this.looked
    if (this.before !== '') await assign(this.before, readdirSync(threads))
    Affinity.holder = undefined
  }

  private look(): void {
    this.looked = this.looked.then(() => this.assignNew()).catch((error: unknown) => this.giveUp(String(error)))
  }

  private async assignNew(): Promise<void> {
    const all = readdirSync(threads)
    if (this.assigned.size === 0) this.before = allowed()
    const fresh = all.filter((thread) => !this.assigned.has(thread))
    if (fresh.length === 0 || this.timer === undefined) return
    const own = basename(readlinkSync('/proc/thread-self'))
    const others = fresh.filter((thread) => thread !== own)
    let refused = await assign(listOf(this.cpus.tasks), others)
    if (others.length < fresh.length) refused ??= await assign(listOf(this.cpus.queries), [own])
    // numbers of threads are given out again
    for (const thread of this.assigned) if (!all.includes(thread)) this.assigned.delete(thread)
    for (const thread of fresh) this.assigned.add(thread)
    if (refused === undefined) return
    await assign(this.before, all)
    this.giveUp(refused)
  }

  private giveUp(reason: string): void {
    this.stop()
    this.warn(reason)
  }

  private stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }
}

/** Where the calling thread may run. */
const allowed = (): string =>
  /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1] ?? ''

const listOf = (cpus: readonly number[]): string => cpus.join(',')

/** @returns why not, if that is not that a thread has ended */
function assign(list: string, to: readonly string[]): Promise<string | undefined> {
  const options = { env: { ...process.env, LC_ALL: 'C' } }
  return new Promise((resolve) => {
    execFile('sh', ['-c', assigning, list, ...to], options, (error, _, stderr) => {
      const reasons = stderr.split('\n').filter((line) => line !== '' && !line.includes('No such process'))
      resolve(reasons[0] ?? (error !== null && stderr === '' ? error.message : undefined))
    })
  })
}
