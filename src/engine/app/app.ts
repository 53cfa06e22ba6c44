import type { OutputRecord } from '../../connectors/broker/broker.ts'
import type { SerdeOptions } from '../../dsl/options.ts'
import type { KeyValueHandle, StoreHandle, TableHandle, WindowHandle } from '../../dsl/stores/index.ts'
import { toMs, type Duration } from '../../dsl/time/index.ts'
import type { Windowed } from '../../dsl/windows/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import {
  type AnyStoreQuery,
  type Change,
  type Observed,
  type ObserveOptions,
  type Queries,
  type QueryOf,
  StoreQuery,
} from '../query/index.ts'
import type { RemoteEvents } from '../remote/engine-parts.ts'
import { type AppState, Lifecycle } from '../runtime/lifecycle.ts'
import { AppRuntime } from './app-runtime.ts'
import { observeTopic, type ObserveTopicOptions } from './observe.ts'
import { type AppOptions, type Program, type Settings, settingsOf } from './settings/options.ts'
import { checkProgram } from './program.ts'
import type { Savepoint } from './state/savepoint.ts'
import { type RunSummary, summaryOf } from './summary.ts'
import { Tracing } from './tracing.ts'
import { tellUnheard } from './unheard.ts'

export interface AppEvents {
  state: { readonly from: AppState; readonly to: AppState }
  error: DhaaraError
  restore: { readonly store: string; readonly partition: number; readonly done: number; readonly total: number }
  checkpoint: { readonly epoch: number; readonly ms: number; readonly bytes: number }
}

type Listeners = { [E in keyof AppEvents]: Set<(payload: AppEvents[E]) => void> }

/**
 * Runs a topology: starts it where its last checkpoint left it, commits each `checkpointInterval`, exactly once.
 *
 * @example
 * await using app = new StreamsApp({ applicationId: 'flipkart', topology, broker: embeddedBroker({ dir: './data' }) })
 * await app.start()
 * await app.completed
 */
export class StreamsApp implements AsyncDisposable {
  private readonly options: AppOptions & Program
  private readonly settings: Settings
  private readonly lifecycle: Lifecycle
  private readonly listeners: Listeners = {
    state: new Set(),
    error: new Set(),
    restore: new Set(),
    checkpoint: new Set(),
  }
  private readonly done = Promise.withResolvers<RunSummary>()
  private readonly runtime: AppRuntime
  private readonly tracing: Tracing
  private startedAt = 0
  private starting: Promise<void> | undefined
  private closing: Promise<void> | undefined
  private failing: Promise<void> | undefined
  private failure: DhaaraError | undefined
  /** Somebody holds `completed`. */
  private awaited = false

  /** @throws DhaaraError DHAARA_OPTION, DHAARA_DURATION */
  constructor(options: AppOptions & Program) {
    checkProgram(options)
    this.options = options
    this.settings = settingsOf(options)
    this.tracing = new Tracing(options.applicationId)
    this.runtime = new AppRuntime(options, this.settings)
    this.lifecycle = new Lifecycle((from, to) => {
      this.settings.logger.info({ from, to }, 'app state')
      this.emit('state', { from, to })
    })
    this.done.promise.catch(() => {})
    options.signal?.addEventListener('abort', () => void this.close(), { once: true })
  }

  get state(): AppState {
    return this.lifecycle.state
  }

  /** When all inputs are bounded and done, or after `close`. Rejects if the app failed. */
  get completed(): Promise<RunSummary> {
    this.awaited = true
    return this.done.promise
  }

  /**
   * Resolves when running.
   * @throws DhaaraError DHAARA_STATE_LOCKED, DHAARA_STATE_INCOMPATIBLE, DHAARA_COPARTITION, DHAARA_MODULE, DHAARA_PLAN_UNEQUAL, …
   */
  async start(): Promise<void> {
    this.lifecycle.transition('starting')
    this.starting = this.begin()
    await this.starting
  }

  /**
   * Seals and writes what was processed, then lets go of everything. Idempotent. When the time is up, workers that are not
   * ready yet are ended, and the last checkpoint stands.
   */
  close(opts: { readonly timeout?: Duration; readonly drain?: boolean } = {}): Promise<void> {
    const timeout = opts.timeout === undefined ? undefined : toMs(opts.timeout)
    this.closing ??= this.shut(timeout)
    return this.closing
  }

  on<E extends keyof AppEvents>(event: E, listener: (payload: AppEvents[E]) => void): Disposable {
    const set = this.listeners[event] as Set<(payload: AppEvents[E]) => void>
    set.add(listener)
    return { [Symbol.dispose]: () => void set.delete(listener) }
  }

  /** Counters and gauges by name. */
  metrics(): Readonly<Record<string, number>> {
    const report = this.runtime.report()
    if (report === undefined) return {}
    const { recordsIn, recordsOut, epochs, watermark, counters } = report
    return { recordsIn, recordsOut, epochs, watermark, ...Object.fromEntries(counters) }
  }

  /**
   * A store, to be asked while the app runs: by its handle typed, by its name not.
   *
   * @example
   * const rows = app.store(customers.store)
   * const customer = await rows.get('c1')
   * for await (const [id, row] of rows.range('a', 'b', { limit: 10 })) console.log(id, row)
   * @throws DhaaraError from its calls: DHAARA_STORE_UNKNOWN, DHAARA_QUERY, DHAARA_APP_STATE, DHAARA_RESTORING
   */
  store<H extends StoreHandle>(handle: H): QueryOf<H>
  store(name: string): AnyStoreQuery
  store(of: StoreHandle | string): unknown {
    const name = typeof of === 'string' ? of : of.name
    return new StoreQuery(() => this.opened().open(name))
  }

  /**
   * What is committed, as it is: the rows of a store and their changes, or the records of a topic (from now on, unless
   * `from` says 'beginning'). To be iterated or subscribed to.
   *
   * @example
   * app.observe('alerts', { value: serdes.json<Alert>() }).subscribe((record) => console.log(record.value.total))
   */
  observe<K, V>(store: KeyValueHandle<K, V> | TableHandle<K, V>, opts?: ObserveOptions): Observed<Change<K, V>>
  observe<K, V>(store: WindowHandle<K, V>, opts?: ObserveOptions): Observed<Change<Windowed<K>, V>>
  observe<K = unknown, V = unknown>(
    topic: string,
    opts?: ObserveOptions & SerdeOptions<K, V>,
  ): Observed<OutputRecord<K, V>>
  observe(of: StoreHandle | string, opts: ObserveTopicOptions<unknown, unknown> = {}): unknown {
    if (typeof of === 'string') return observeTopic(() => this.opened() && this.runtime.observable, of, opts)
    return new StoreQuery(() => this.opened().open(of.name)).subscribe(undefined, opts)
  }

  /**
   * Writes a savepoint: all state as of the last checkpoint, while the app goes on. Another app can start from it: of another
   * version of the topology, on another back end, with other workers or partitions (`dhaara savepoint restore`).
   *
   * @param folder made for it; must not exist
   * On Kafka: of all instances, whichever is asked. They commit nothing for about a second, and its changelogs are read.
   *
   * @throws DhaaraError DHAARA_SAVEPOINT, DHAARA_APP_STATE
   */
  async savepoint(folder: string): Promise<Savepoint> {
    this.opened()
    return this.runtime.savepoint(folder)
  }

  /** @internal These topics (default: all) end where they end now. */
  endInputs(topics?: readonly string[]): void {
    this.runtime.engine?.endInputs(topics)
  }

  /** @internal These topics have more to come, which is worth waiting for; others have not. */
  fillInputs(topics: readonly string[]): void {
    this.runtime.engine?.fillInputs?.(topics)
  }

  /** @internal Offset of the first record of a partition that was not processed; undefined where that is not known. */
  positionOf(topic: string, partition: number): number | undefined {
    return this.runtime.engine?.positionOf?.(topic, partition)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async begin(): Promise<void> {
    try {
      this.startedAt = performance.now()
      await this.tracing.load()
      await this.runtime.start(this.startedAt, {
        app: this,
        events: this.engineEvents(),
        opened: () => void this.opened(),
        restoring: () => this.lifecycle.transition('restoring'),
      })
      if (this.failure !== undefined) throw this.failure
      this.tracing.took('dhaara.restore', performance.now() - this.startedAt, {})
      this.lifecycle.transition('running')
    } catch (error) {
      await this.fail(error)
      throw error
    }
  }

  /** @internal Where the app is served over HTTP. */
  get httpUrl(): string | undefined {
    return this.runtime.serving.url
  }

  private opened(): Queries {
    const { queries } = this.runtime
    if (queries !== undefined && this.lifecycle.is('running', 'rebalancing')) return queries
    const cure = this.lifecycle.is('created') ? 'start() it first' : 'its stores can be asked while it runs'
    throw new DhaaraError('DHAARA_APP_STATE', `the app is ${this.state}; ${cure}`)
  }

  private engineEvents(): RemoteEvents {
    return {
      ended: () => void this.close(),
      checkpoint: (event) => {
        const { epoch, ms, bytes } = event
        this.tracing.took('dhaara.checkpoint', ms, { 'dhaara.epoch': epoch, 'dhaara.bytes': bytes })
        this.runtime.serving.checkpoint({ ...event, at: this.settings.clock.now() })
        this.emit('checkpoint', event)
      },
      failed: (error) => void this.fail(error),
      rebalancing: () => this.lifecycle.transition('rebalancing'),
      running: () => this.lifecycle.transition('running'),
      restore: (progress) => {
        this.runtime.serving.restore(progress)
        this.emit('restore', progress)
      },
    }
  }

  private async shut(timeout: number | undefined): Promise<void> {
    await this.starting?.catch(() => {})
    if (this.lifecycle.is('failed', 'closed')) return this.failing
    if (this.lifecycle.is('created')) {
      this.lifecycle.transition('closed')
      return
    }
    this.lifecycle.transition('closing')
    try {
      await this.runtime.close(timeout)
      if (this.lifecycle.is('failed')) return await this.failing
      this.lifecycle.transition('closed')
      this.done.resolve(summaryOf(this.runtime.report(), performance.now() - this.startedAt))
    } catch (error) {
      await this.fail(error)
    }
  }

  /** Once; whoever closes the app then waits until all is let go of. */
  private async fail(error: unknown): Promise<void> {
    if (this.lifecycle.is('failed', 'closed')) return
    this.failing = this.letGo(error)
    await this.failing
  }

  private async letGo(error: unknown): Promise<void> {
    const wrapped = asDhaaraError(error)
    this.failure = wrapped
    if (!this.heard()) tellUnheard(this.settings.applicationId, wrapped)
    this.lifecycle.transition('failed')
    this.settings.logger.error({ err: wrapped, code: wrapped.code }, wrapped.message)
    await this.runtime.abandon(wrapped)
    this.emit('error', wrapped)
    this.done.reject(wrapped)
  }

  /** Whether anybody learns that the app fails: who called `start` does from that. */
  private heard(): boolean {
    return (
      this.lifecycle.is('starting', 'restoring') ||
      this.awaited ||
      this.listeners.error.size > 0 ||
      this.options.logger !== undefined
    )
  }

  private emit<E extends keyof AppEvents>(event: E, payload: AppEvents[E]): void {
    for (const listener of this.listeners[event]) (listener as (payload: AppEvents[E]) => void)(payload)
  }
}

function asDhaaraError(error: unknown): DhaaraError {
  if (error instanceof DhaaraError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new DhaaraError('DHAARA_INTERNAL', `the app failed: ${text}`, { cause: error })
}
