import { embeddedBroker } from '../../connectors/embedded/broker.ts'
import { type EmbeddedLease, openEmbedded } from '../../connectors/broker/broker.ts'
import { toMs, type Duration } from '../../dsl/time/index.ts'
import { planOf } from '../../dsl/topology/plan-of.ts'
import type { Topology } from '../../dsl/topology/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { compile } from '../plan/compile.ts'
import { type AppState, Lifecycle } from '../runtime/lifecycle.ts'
import type { Engine, EngineReport } from './engine.ts'
import { StoreIds } from './identity.ts'
import { LocalEngine } from './local-engine.ts'
import { checkManifest, writeManifest } from './manifest.ts'
import { type AppOptions, type Program, type Settings, settingsOf } from './options.ts'
import { type RunSummary, summaryOf } from './summary.ts'

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
  /** When all inputs are bounded and done, or after `close`. Rejects if the app failed. */
  readonly completed: Promise<RunSummary>
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
  private engine: Engine | undefined
  private lease: EmbeddedLease | undefined
  private startedAt = 0
  private last: EngineReport | undefined
  private closing: Promise<void> | undefined

  /** @throws DhaaraError DHAARA_OPTION, DHAARA_DURATION */
  constructor(options: AppOptions & Program) {
    this.options = options
    this.settings = settingsOf(options)
    this.lifecycle = new Lifecycle((from, to) => {
      this.settings.logger.info({ from, to }, 'app state')
      this.emit('state', { from, to })
    })
    this.completed = this.done.promise
    this.completed.catch(() => {})
    options.signal?.addEventListener('abort', () => void this.close(), { once: true })
  }

  get state(): AppState {
    return this.lifecycle.state
  }

  /**
   * Resolves when running.
   * @throws DhaaraError DHAARA_STATE_LOCKED, DHAARA_STATE_INCOMPATIBLE, DHAARA_COPARTITION, …
   */
  async start(): Promise<void> {
    this.lifecycle.transition('starting')
    try {
      this.startedAt = performance.now()
      const { settings } = this
      const plan = compile(planOf(this.options.topology as Topology))
      const broker = this.options.broker ?? embeddedBroker()
      this.lease = await openEmbedded(broker, { cacheBytes: (settings.memoryBytes - settings.cacheBytes) / 2 })
      const ids = new StoreIds(this.lease.backend, settings.applicationId)
      checkManifest(this.lease.backend, settings.applicationId, plan)
      this.lifecycle.transition('restoring')
      this.engine = new LocalEngine(plan, settings, this.lease, ids, {
        ended: () => void this.close(),
        checkpoint: (event) => this.emit('checkpoint', event),
        failed: (error) => void this.fail(error),
      })
      writeManifest(this.lease.backend, settings.applicationId, plan)
      this.lifecycle.transition('running')
      this.engine.start()
    } catch (error) {
      await this.fail(error)
      throw error
    }
  }

  /** Seals and writes what was processed, then lets go of everything. Idempotent. */
  close(_opts: { readonly timeout?: Duration; readonly drain?: boolean } = {}): Promise<void> {
    if (_opts.timeout !== undefined) toMs(_opts.timeout)
    this.closing ??= this.shut()
    return this.closing
  }

  on<E extends keyof AppEvents>(event: E, listener: (payload: AppEvents[E]) => void): Disposable {
    const set = this.listeners[event] as Set<(payload: AppEvents[E]) => void>
    set.add(listener)
    return { [Symbol.dispose]: () => void set.delete(listener) }
  }

  /** Counters and gauges by name. */
  metrics(): Readonly<Record<string, number>> {
    const report = this.engine?.report() ?? this.last
    if (report === undefined) return {}
    const { recordsIn, recordsOut, epochs, watermark, counters } = report
    return { recordsIn, recordsOut, epochs, watermark, ...Object.fromEntries(counters) }
  }

  /** @internal These topics (default: all) end where they end now. */
  endInputs(topics?: readonly string[]): void {
    this.engine?.endInputs(topics)
  }

  /** @internal These topics have more to come, which is worth waiting for; others have not. */
  fillInputs(topics: readonly string[]): void {
    this.engine?.fillInputs?.(topics)
  }

  /** @internal Offset of the first record of a partition that was not processed; undefined where that is not known. */
  positionOf(topic: string, partition: number): number | undefined {
    return this.engine?.positionOf?.(topic, partition)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shut(): Promise<void> {
    if (this.lifecycle.is('failed', 'closed')) return
    if (this.lifecycle.is('created')) {
      this.lifecycle.transition('closed')
      return
    }
    this.lifecycle.transition('closing')
    try {
      await this.engine?.stop()
      this.last = this.engine?.report()
      this.engine = undefined
      await this.lease?.release()
      if (this.lifecycle.is('failed')) return
      this.lifecycle.transition('closed')
      this.done.resolve(summaryOf(this.last, performance.now() - this.startedAt))
    } catch (error) {
      await this.fail(error)
    }
  }

  private async fail(error: unknown): Promise<void> {
    if (this.lifecycle.is('failed', 'closed')) return
    const wrapped = asDhaaraError(error)
    this.lifecycle.transition('failed')
    this.settings.logger.error({ err: wrapped, code: wrapped.code }, wrapped.message)
    this.last = this.engine?.report()
    this.engine = undefined
    await this.lease?.release().catch(() => {})
    this.emit('error', wrapped)
    this.done.reject(wrapped)
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
