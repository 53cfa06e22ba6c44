import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import type { SharedHandle } from '../../../state/backends/index.ts'
import { type ErrorReport, mergeErrors, type TaskReport } from '../../metrics/index.ts'
import type { RawQuery } from '../../query/index.ts'
import type { Settings } from '../settings/options.ts'
import { Pending, restoring } from './pending.ts'
import { sentSettings } from './sent-settings.ts'
import { type WorkerEvents, WorkerHandle } from './worker-handle.ts'
import type { WorkerInputs } from './worker-inputs.ts'
import type { Order, Report } from './worker-protocol.ts'
import type { WorkerSignals } from './worker-signals.ts'

/** The module whose topology the workers run; `hash`: of the plan that the owner made from it. */
export interface WorkerProgram {
  readonly url: URL
  readonly settings: Readonly<Record<string, string>>
  readonly hash: string
  readonly workers: number
  /** What the threads run instead of `worker-thread.ts`. */
  readonly script?: URL
}

/** The threads of a {@link WorkerProgram}: hired, given orders, asked, let go; each reads the database by a loan of its own. */
export class Workers {
  private readonly program: WorkerProgram
  private readonly settings: Settings
  private readonly lease: EmbeddedLease
  private readonly inputs: WorkerInputs
  private readonly signals: WorkerSignals
  private readonly events: WorkerEvents
  private readonly handles: (WorkerHandle | undefined)[] = []
  private readonly lent = new Map<number, SharedHandle>()
  private readonly asked = new Pending()
  private readonly loading = new Set<number>()
  /** What each worker told last. */
  private readonly told = new Map<number, { tasks: readonly TaskReport[]; errors: readonly ErrorReport[] }>()

  constructor(
    program: WorkerProgram,
    settings: Settings,
    lease: EmbeddedLease,
    inputs: WorkerInputs,
    signals: WorkerSignals,
    events: WorkerEvents,
  ) {
    this.program = program
    this.settings = settings
    this.lease = lease
    this.inputs = inputs
    this.signals = signals
    this.events = events
  }

  get count(): number {
    return this.program.workers
  }

  /** Have all of them loaded their topology? */
  get loaded(): boolean {
    return this.loading.size === 0
  }

  tasks(): TaskReport[] {
    return [...this.told.values()].flatMap(({ tasks }) => tasks)
  }

  errors(): ErrorReport[] {
    return mergeErrors([...this.told.values()].map(({ errors }) => errors))
  }

  hire(worker: number): void {
    const { program, settings, inputs, lease, signals } = this
    this.loading.add(worker)
    const handle = lease.backend.lend()
    this.lent.set(worker, handle)
    const start = {
      url: program.url.href,
      env: program.settings,
      worker,
      workers: program.workers,
      settings: sentSettings(settings),
      handle,
      bells: signals.bellMemory,
      offsets: inputs.memory,
      topics: inputs.slots,
      dirty: signals.dirtyMemory,
    }
    this.handles[worker] = new WorkerHandle(start, signals.bells, this.events, program.script)
  }

  /** It has its topology: from now on it is looked after. @param stuck when it has not come back for so many ms */
  ready(worker: number, stuck: (ms: number) => void): void {
    this.handles[worker]?.watchOver(this.settings.stuckAfter, stuck)
    this.loading.delete(worker)
  }

  heard(worker: number, report: Extract<Report, { type: 'meters' | 'answer' }>): void {
    if (report.type === 'answer') this.asked.settle(report)
    else this.told.set(worker, report)
  }

  handle(worker: number): WorkerHandle | undefined {
    return this.handles[worker]
  }

  /** Its thread has ended. */
  lost(worker: number): void {
    this.lease.backend.takeBack(this.lent.get(worker) as SharedHandle)
    this.handles[worker] = undefined
    this.asked.forget(worker)
  }

  tell(order: Order): void {
    for (const handle of this.handles) handle?.order(order)
  }

  /** @throws DhaaraError where that worker is not up */
  ask(worker: number, sub: number, partition: number, store: string, query: RawQuery): ReturnType<Pending['send']> {
    const handle = this.handles[worker]
    if (handle === undefined) throw restoring(`worker ${worker} is not up`)
    return this.asked.send(worker, (id) => handle.order({ type: 'query', id, sub, partition, store, query }))
  }

  /** Lets them end by themselves, if they do so in time. */
  async leave(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle?.leave()))
  }

  /** Ends them at once. */
  async terminate(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle?.terminate()))
  }

  /** None of them reads any more. */
  letGo(): void {
    for (const handle of this.lent.values()) this.lease.backend.takeBack(handle)
    this.asked.forget()
  }
}
