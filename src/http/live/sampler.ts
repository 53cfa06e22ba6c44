import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Histogram, TaskReport } from '../../engine/metrics/index.ts'
import type { CheckpointInfo, Served } from '../served.ts'
import type { Inputs } from './inputs.ts'
import { stepTicks, taskTick } from './steps.ts'
import type { TaskTotals } from './task-totals.ts'
import type { CheckpointTick, Percentiles, Point, ProcessTick, StoreTick, Tick } from './types.ts'

const interval = 1000
/** Ten minutes of points. */
const remembered = 600

/** Looks at an app each second, and remembers what charts show. */
export class Sampler implements Disposable {
  /** Oldest first. */
  readonly history: Point[] = []
  private readonly app: Served
  private readonly totals: TaskTotals
  private readonly inputs: Inputs
  private readonly timer: NodeJS.Timeout
  private readonly loop = monitorEventLoopDelay({ resolution: 20 })
  private last: Tick | undefined
  private waiting = Promise.withResolvers<Tick | undefined>()
  private checkpoints: CheckpointInfo[] = []
  private checkpointed = { count: 0, bytes: 0 }
  private cpu = process.cpuUsage()
  private cpuAt = performance.now()

  constructor(app: Served, totals: TaskTotals, inputs: Inputs) {
    this.app = app
    this.totals = totals
    this.inputs = inputs
    this.loop.enable()
    this.timer = setInterval(() => this.sample(), interval)
    this.timer.unref()
  }

  checkpoint(info: CheckpointInfo): void {
    this.checkpoints.push(info)
    this.checkpointed = { count: this.checkpointed.count + 1, bytes: this.checkpointed.bytes + info.bytes }
  }

  /** The last one. */
  get tick(): Tick {
    return this.last ?? this.sample()
  }

  /** The next one; undefined: there will be none. Who asks late has missed those between, not this one. */
  next(): Promise<Tick | undefined> {
    return this.waiting.promise
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
    this.loop.disable()
    this.waiting.resolve(undefined)
  }

  private sample(): Tick {
    const tick = this.look()
    const { last, waiting } = this
    this.last = tick
    if (last !== undefined) {
      this.history.push(pointOf(last, tick))
      if (this.history.length > remembered) this.history.shift()
    }
    this.waiting = Promise.withResolvers()
    waiting.resolve(tick)
    return tick
  }

  private look(): Tick {
    const { app } = this
    const metrics = app.metrics()
    const plan = app.plan()
    const meters = orElse(() => app.meters(), undefined)
    const tasks = this.totals.add(meters?.tasks() ?? [])
    const errors = meters?.errors() ?? []
    return {
      at: Date.now(),
      state: app.state,
      upMs: Math.round(performance.now() - app.startedAt),
      recordsIn: metrics['recordsIn'] ?? 0,
      recordsOut: metrics['recordsOut'] ?? 0,
      steps: stepTicks(plan, this.totals, metrics),
      tasks: tasks.map(taskTick),
      inputs: this.inputs.ticks(),
      stores: storeTicks(tasks),
      latency: meters?.latency === undefined ? null : percentilesOf(meters.latency.take()),
      checkpoints: this.takeCheckpoints(),
      process: this.processTick(),
      errors: { kinds: errors.length, count: errors.reduce((sum, { count }) => sum + count, 0) },
    }
  }

  private takeCheckpoints(): CheckpointTick {
    const { checkpoints } = this
    this.checkpoints = []
    const times = checkpoints.map(({ ms }) => ms)
    const none = times.length === 0
    return {
      ...this.checkpointed,
      ms: none ? null : times.reduce((sum, ms) => sum + ms, 0) / times.length,
      maxMs: none ? null : Math.max(...times),
    }
  }

  private processTick(): ProcessTick {
    const now = performance.now()
    const used = process.cpuUsage(this.cpu)
    const cpu = (used.user + used.system) / 1000 / Math.max(1, now - this.cpuAt)
    this.cpu = process.cpuUsage()
    this.cpuAt = now
    const { rss, heapUsed } = process.memoryUsage()
    const loopMs = Math.max(0, this.loop.max / 1e6 - 20)
    this.loop.reset()
    return { cpu, rssBytes: rss, heapBytes: heapUsed, loopMs: Number.isFinite(loopMs) ? loopMs : 0 }
  }
}

function storeTicks(tasks: readonly TaskReport[]): StoreTick[] {
  const sums = new Map<string, number>()
  for (const { rows } of tasks) for (const [name, n] of Object.entries(rows)) sums.set(name, (sums.get(name) ?? 0) + n)
  return Array.from(sums, ([name, rows]) => ({ name, rows }))
}

function pointOf(before: Tick, now: Tick): Point {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000)
  const rate = (was: number, is: number): number => Math.max(0, is - was) / seconds
  return {
    at: now.at,
    in: rate(before.recordsIn, now.recordsIn),
    out: rate(before.recordsOut, now.recordsOut),
    latency: now.latency,
    checkpointMs: now.checkpoints.ms,
    lag: now.inputs.reduce((sum, { position, end }) => sum + (position === null ? 0 : Math.max(0, end - position)), 0),
    cpu: now.process.cpu,
  }
}

function percentilesOf(histogram: Histogram): Percentiles | null {
  if (histogram.count === 0) return null
  const { count, max } = histogram
  return {
    count,
    p50: histogram.percentile(0.5),
    p99: histogram.percentile(0.99),
    p999: histogram.percentile(0.999),
    max,
  }
}

/** An app that is starting, or over, has less to tell. */
function orElse<T, E>(read: () => T, otherwise: E): T | E {
  try {
    return read()
  } catch {
    return otherwise
  }
}
