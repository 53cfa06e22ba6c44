import { resolve } from 'node:path'
import type { Broker } from '../../connectors/broker/broker.ts'
import { isRemote } from '../../connectors/broker/remote.ts'
import { embeddedBroker } from '../../connectors/embedded/broker.ts'
import type { LogicalPlan } from '../../dsl/plan/index.ts'
import { planOf } from '../../dsl/topology/plan-of.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { HttpOptions } from '../../http/index.ts'
import { Affinity } from '../../state/affinity.ts'
import { compile } from '../plan/compile.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import type { Queries } from '../query/index.ts'
import type { RemoteEvents } from '../remote/engine-parts.ts'
import type { Engine, EngineReport } from './engine.ts'
import { prepareSinks } from './prepare-sinks.ts'
import { type LoadedProgram, loadProgram } from './program.ts'
import { type ServedApp, Serving } from './serving.ts'
import type { AppOptions, Program, Settings } from './settings/options.ts'
import type { Ground, Standing, StandingParts } from './standing.ts'
import { createSavepoint, type Savepoint } from './state/savepoint.ts'

/** What an app is to all that runs for it. */
export interface RuntimeHooks {
  readonly app: ServedApp
  readonly events: RemoteEvents
  /** @throws DhaaraError DHAARA_APP_STATE: it does not run */
  opened(): void
  /** Its state is there; the user's own set-up comes next. */
  restoring(): void
}

/** All that an app holds from its start to its end: its program, what it stands on, its engine, its server. */
export class AppRuntime {
  readonly serving = new Serving()
  private readonly options: AppOptions & Program
  private readonly settings: Settings
  private readonly affinity: Affinity | undefined
  private broker: Broker | undefined
  /** What is to be torn down: it has been set up. */
  private program: LoadedProgram | undefined
  private ground: Ground | undefined
  private standing: Standing | undefined
  /** While it runs. */
  private running: Engine | undefined
  private last: EngineReport | undefined
  /** Savepoints. */
  private writing: Promise<unknown> = Promise.resolve()

  constructor(options: AppOptions & Program, settings: Settings) {
    this.options = options
    this.settings = settings
    const { cpus, logger } = settings
    const stays = (reason: string): void => logger.warn({ cpus, reason }, 'threads stay on the processors they had')
    this.affinity = cpus && new Affinity(cpus, stays)
  }

  get engine(): Engine | undefined {
    return this.running
  }

  get queries(): Queries | undefined {
    return this.standing?.queries
  }

  /** What is read and written by name; once it runs. */
  get observable(): { readonly broker: Broker; readonly plan: LogicalPlan } {
    return { broker: this.broker as Broker, plan: planOf((this.program as LoadedProgram).topology) }
  }

  /** As it is, or as it was in the end. */
  report(): EngineReport | undefined {
    return this.running?.report() ?? this.last
  }

  /** Puts the topology on its log, where its last checkpoint left it, and has it run. @param startedAt for those who ask how long */
  async start(startedAt: number, hooks: RuntimeHooks): Promise<void> {
    const { options, settings } = this
    const program = await loadProgram(options, settings.logger)
    const plan = compile(planOf(program.topology))
    await prepareSinks(plan)
    const broker = options.broker ?? embeddedBroker()
    this.broker = broker
    if (options.http) await this.serve(options.http, program, plan, startedAt, hooks)
    const parts = this.standingParts(program, plan, hooks)
    // a sixth of all modules, each for those that need them: a worker loads all that its topology's module imports
    this.standing = isRemote(broker)
      ? await (await import('./on-remote.ts')).standOnRemote(broker, parts)
      : await (await import('./on-embedded.ts')).standOnEmbedded(broker, parts)
    const { engine } = this.standing
    this.running = engine
    await engine.start()
    // not once it was let go of
    if (this.running === engine) await this.affinity?.start()
  }

  /** @param folder made for it */
  savepoint(folder: string): Promise<Savepoint> {
    const { applicationId, clock } = this.settings
    const backend = this.ground?.backend
    const path = resolve(folder)
    const made =
      backend === undefined
        ? this.running?.savepoint?.(path)
        : createSavepoint(backend, applicationId, path, clock.now())
    if (made === undefined) throw new DhaaraError('DHAARA_INTERNAL', 'nobody here can write a savepoint')
    // the database stays open for it
    this.writing = Promise.all([this.writing, made.catch(() => {})])
    return made
  }

  /** Seals and writes what was processed, then lets go of everything. @param timeout ms */
  async close(timeout: number | undefined): Promise<void> {
    await this.running?.stop(timeout)
    this.running?.changes?.end()
    this.running?.applied?.end(new DhaaraError('DHAARA_APP_STATE', 'the app closes'))
    await this.letGo(false)
  }

  /** Lets go of everything as it is: the app has failed, and what fails now as well is nobody's news. */
  async abandon(error: DhaaraError): Promise<void> {
    this.running?.changes?.end(error)
    this.running?.applied?.end(error)
    await this.letGo(true)
  }

  private async letGo(failed: boolean): Promise<void> {
    const heed = (released: Promise<void> | undefined) => (failed ? released?.catch(() => {}) : released)
    this.last = this.report()
    this.running = undefined
    await this.writing
    await heed(this.program?.teardown())
    await this.serving.stop()
    this.standing?.routing?.close()
    await heed(this.ground?.release())
    await this.affinity?.release()
  }

  private standingParts(
    program: LoadedProgram,
    plan: PhysicalPlan,
    { app, events, restoring }: RuntimeHooks,
  ): StandingParts {
    const { options, settings } = this
    return {
      options,
      settings,
      program,
      plan,
      events,
      advertised: this.serving.advertised,
      hold: (ground) => {
        this.ground = ground
      },
      restoring: async () => {
        restoring()
        await program.setup()
        this.program = program
      },
      savepoint: (folder) => app.savepoint(folder),
    }
  }

  private serve(
    options: HttpOptions,
    { topology, workers }: LoadedProgram,
    plan: PhysicalPlan,
    startedAt: number,
    { app, opened }: RuntimeHooks,
  ): Promise<void> {
    const engine = (): Engine => {
      if (this.running === undefined) throw new DhaaraError('DHAARA_APP_STATE', `the app is ${app.state}`)
      return this.running
    }
    const peers = () => {
      opened()
      return this.standing?.routing
    }
    return this.serving.start(options, {
      app,
      settings: this.settings,
      startedAt,
      topology,
      plan,
      workers: workers?.workers ?? 0,
      engine,
      log: () => this.ground?.embedded?.log,
      remoteLog: () => this.ground?.remoteLog,
      ...(isRemote(this.broker as Broker) ? { peers } : {}),
      request: (name, params) => this.ground?.embedded?.request(name, params, new AbortController().signal),
    })
  }
}
