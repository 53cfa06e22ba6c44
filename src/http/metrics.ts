import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { LatencyHistogram } from './latency-histogram.ts'
import type { ReadCounts, TaskReport } from '../engine/metrics/index.ts'
import type { Inputs } from './live/inputs.ts'
import { stepTicks } from './live/steps.ts'
import { TaskTotals } from './live/task-totals.ts'
import type { StepTick } from './live/types.ts'
import type { CheckpointInfo, RestoreInfo, Served } from './served.ts'

const checkpointBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const

/** Prometheus metrics of an app, read when they are asked for. */
export class AppMetrics {
  readonly #registry = new Registry()
  readonly #checkpointSeconds: Histogram
  readonly #checkpointParts: Histogram<'part'>
  readonly #checkpointBytes: Counter
  readonly #restored: Gauge<'store' | 'partition'>
  readonly #toRestore: Gauge<'store' | 'partition'>

  constructor(app: Served, totals = new TaskTotals(), inputs?: Inputs) {
    const registers = [this.#registry]
    this.#registry.setDefaultLabels({ app: app.applicationId })
    collectDefaultMetrics({ register: this.#registry })
    const gauge = (name: string, help: string, read: () => number | undefined): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          const value = read()
          if (value === undefined) this.remove()
          else this.set(value)
        },
      })
    }
    const metric = (name: string) => () => app.metrics()[name]
    counterOf('dhaara_records_in_total', 'Records read from topics', metric('recordsIn'), registers)
    counterOf('dhaara_records_out_total', 'Records written to topics', metric('recordsOut'), registers)
    counterOf('dhaara_checkpoints_total', 'Checkpoints written', metric('epochs'), registers)
    gauge('dhaara_running', '1 while the app runs', () => (app.state === 'running' ? 1 : 0))
    gauge('dhaara_watermark_timestamp_seconds', 'The lowest watermark of all tasks, as Unix time', () => {
      const { watermark } = app.metrics()
      return watermark === undefined || !Number.isFinite(watermark) ? undefined : watermark / 1000
    })
    this.#checkpointSeconds = new Histogram({
      name: 'dhaara_checkpoint_seconds',
      help: 'How long writing a checkpoint took',
      buckets: [...checkpointBuckets],
      registers,
    })
    this.#checkpointParts = new Histogram({
      name: 'dhaara_checkpoint_part_seconds',
      help: 'What it went into: barrier (until all workers have sealed), flush (encoding), commit (on Kafka, until the brokers have it), write, sync (a write forced to the disk)',
      labelNames: ['part'] as const,
      buckets: [...checkpointBuckets],
      registers,
    })
    this.#checkpointBytes = new Counter({
      name: 'dhaara_checkpoint_bytes_total',
      help: 'Bytes written with checkpoints',
      registers,
    })
    const restoring = (name: string, help: string) =>
      new Gauge({ name, help, labelNames: ['store', 'partition'] as const, registers })
    this.#restored = restoring(
      'dhaara_restore_done_records',
      'Records of a changelog that were read, of those to be restored from',
    )
    this.#toRestore = restoring(
      'dhaara_restore_wanted_records',
      'Records of a changelog that a task was to be restored from',
    )
    stepMetrics(app, registers)
    flowMetrics(app, totals, registers)
    topicMetrics(app, inputs, registers)
  }

  checkpoint({ ms, bytes, parts }: CheckpointInfo): void {
    this.#checkpointSeconds.observe(ms / 1000)
    for (const [part, partMs] of Object.entries(parts ?? {})) this.#checkpointParts.observe({ part }, partMs / 1000)
    this.#checkpointBytes.inc(bytes)
  }

  restore({ store, partition, done, total }: RestoreInfo): void {
    this.#restored.set({ store, partition }, done)
    this.#toRestore.set({ store, partition }, total)
  }

  /** Our own, in the order of their names. */
  describe(): {
    readonly name: string
    readonly type: string
    readonly labels: readonly string[]
    readonly help: string
  }[] {
    return this.#registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith('dhaara_'))
      .map((metric) => ({
        name: metric.name,
        type: metric instanceof Counter ? 'counter' : metric instanceof Gauge ? 'gauge' : 'histogram',
        labels: (metric as unknown as { readonly labelNames?: readonly string[] }).labelNames ?? [],
        help: metric.help,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

function counterOf(name: string, help: string, read: () => number | undefined, registers: Registry[]): void {
  // an epoch that is taken back takes its records along, and is done again
  let most = 0
  new Counter({
    name,
    help,
    registers,
    collect() {
      most = Math.max(most, read() ?? 0)
      this.reset()
      this.inc(most)
    },
  })
}

function stepMetrics(app: Served, registers: Registry[]): void {
  const most = new Map<string, number>()
  new Counter({
    name: 'dhaara_step_records_total',
    help: 'Records that a step did not pass on, by reason: late, invalid, failed, null-key, …; and counters of user code',
    labelNames: ['step', 'reason'] as const,
    registers,
    collect() {
      this.reset()
      for (const [name, now] of Object.entries(app.metrics())) {
        const n = Math.max(now, most.get(name) ?? 0)
        most.set(name, n)
        const [, step, reason] = /^(.+?)\.(?:dropped\.)?([^.]+)$/.exec(name) ?? []
        if (step !== undefined && reason !== undefined) this.inc({ step, reason }, n)
      }
    },
  })
}

/** What tasks and steps do; the latency from an input to the commit. */
function flowMetrics(app: Served, totals: TaskTotals, registers: Registry[]): void {
  const present = (): TaskReport[] => totals.add(orNothing(() => app.meters().tasks()) ?? [])
  const perStep = (name: string, help: string, read: (step: StepTick) => number): void => {
    new Counter({
      name,
      help,
      labelNames: ['step'] as const,
      registers,
      collect() {
        this.reset()
        present()
        const plan = app.plan()
        for (const step of stepTicks(plan, totals, {})) this.inc({ step: plan.steps[step.id]?.name ?? '' }, read(step))
      },
    })
  }
  perStep('dhaara_step_in_total', 'Records that came into a step', (step) => step.in)
  perStep('dhaara_step_out_total', 'Records that came out of a step', (step) => step.out)
  perStep('dhaara_step_busy_seconds_total', 'Time spent in a step', (step) => step.busyMs / 1000)
  const perTask = (
    Metric: typeof Gauge | typeof Counter,
    name: string,
    help: string,
    read: (task: TaskReport) => number,
  ): void => {
    new Metric({
      name,
      help,
      labelNames: ['task'] as const,
      registers,
      collect() {
        this.reset()
        for (const task of present()) {
          const value = read(task)
          if (Number.isFinite(value)) this.inc({ task: `${task.sub}_${task.partition}` }, value)
        }
      },
    })
  }
  perTask(
    Gauge,
    'dhaara_task_watermark_timestamp_seconds',
    'The watermark of a task, as Unix time',
    (task) => task.watermark / 1000,
  )
  perTask(Gauge, 'dhaara_task_backlog_records', 'Records from other tasks that wait', (task) => task.backlog)
  perTask(
    Counter,
    'dhaara_task_blocked_seconds_total',
    'Time in which those behind it took no more',
    (task) => task.blockedMs / 1000,
  )
  perTask(
    Counter,
    'dhaara_task_waiting_seconds_total',
    'Time in which it waited for another input',
    (task) => task.waitingMs / 1000,
  )
  new Gauge({
    name: 'dhaara_store_rows',
    help: 'Rows of a store, as of the last checkpoint',
    labelNames: ['store'] as const,
    registers,
    collect() {
      this.reset()
      for (const { rows } of present()) for (const [store, n] of Object.entries(rows)) this.inc({ store }, n)
    },
  })
  const perStore = (name: string, help: string, read: (counts: ReadCounts) => number): void => {
    new Counter({
      name,
      help,
      labelNames: ['store'] as const,
      registers,
      collect() {
        this.reset()
        present()
        for (const [store, counts] of totals.reads()) this.inc({ store }, read(counts))
      },
    })
  }
  perStore(
    'dhaara_store_cache_hits_total',
    'Rows that steps asked a store for, and that were in memory',
    ({ lookups, misses }) => Math.max(0, lookups - misses),
  )
  perStore(
    'dhaara_store_cache_misses_total',
    'Rows that steps asked a store for, and that were read from the database',
    ({ misses }) => misses,
  )
  new LatencyHistogram(app, registers)
}

function topicMetrics(app: Served, inputs: Inputs | undefined, registers: Registry[]): void {
  new Gauge({
    name: 'dhaara_topic_end_offset',
    help: 'Offset of the next record of a partition',
    labelNames: ['topic', 'partition'] as const,
    registers,
    collect() {
      this.reset()
      const log = orNothing(() => app.log())
      for (const { name, partitions } of log?.topics() ?? [])
        for (let partition = 0; partition < partitions; partition++)
          this.set({ topic: name, partition }, log?.endOffset(name, partition) ?? 0)
    },
  })
  new Gauge({
    name: 'dhaara_input_lag_records',
    help: 'Records of an input that were not processed yet',
    labelNames: ['topic', 'partition'] as const,
    registers,
    collect() {
      this.reset()
      for (const { topic, partition, position, end } of inputs?.ticks() ?? [])
        if (position !== null) this.set({ topic, partition }, end - position)
    },
  })
}

/** An app that is starting, or over, has less to tell. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
