import type { Broker, EmbeddedBroker, EmbeddedLease } from '../connectors/broker/index.ts'
import { FrameBuilder, isEmbedded, openEmbedded } from '../connectors/broker/index.ts'
import { embeddedBroker } from '../connectors/embedded/index.ts'
import { StreamsApp } from '../engine/app/app.ts'
import type { Logger } from '../engine/app/settings/logger.ts'
import type { Program } from '../engine/app/settings/options.ts'
import { DhaaraError } from '../errors/index.ts'
import type { RunFlags } from './run-flags.ts'
import { codeOf, exitCode } from './exit.ts'
import { ProgressRows } from './input/progress.ts'
import { InputPump } from './input/pump.ts'
import { RecordMaker } from './input/record-maker.ts'
import { defaultApplicationId, type LoadedModule, loadModule } from './load-module.ts'
import { createLogger } from './logging.ts'
import { OutputFiles } from './output/outputs.ts'
import { PlanTopics } from './plan-topics.ts'
import type { Progress } from './progress.ts'
import { AppRows } from './query/app-rows.ts'
import { Signals } from './signals.ts'

/** One run: files in, an app, files out. */
export class Job {
  readonly #path: string
  readonly #flags: RunFlags
  readonly #progress: Progress
  readonly #signals: Signals
  readonly #logger: Logger
  #module!: LoadedModule
  #topics!: PlanTopics
  #applicationId = ''
  #broker: Broker | undefined
  #ownBroker: EmbeddedBroker | undefined
  #lease: EmbeddedLease | undefined
  #app: StreamsApp | undefined
  #pumps: readonly InputPump[] = []
  #outputs: OutputFiles | undefined
  #apps: AppRows | undefined
  #failure: { readonly error: unknown } | undefined
  /** The reader of standard output has gone: nobody wants more. */
  #unwanted = false

  constructor(path: string, flags: RunFlags, progress: Progress) {
    this.#path = path
    this.#flags = flags
    this.#progress = progress
    this.#signals = new Signals((signal) => {
      if (flags.json) progress.event('signal', { signal })
      else progress.line(`${signal}: closing; once more ends it at once`)
      this.#stop()
    })
    const quietly = !flags.json && flags.logLevel === undefined
    this.#logger = createLogger(flags.logLevel ?? 'warn', (line) => progress.line(line), quietly)
  }

  /** The exit code that a signal asks for. */
  get code(): number | undefined {
    return this.#signals.code
  }

  /** All that can be refused: module, options, files, directory. */
  async prepare(): Promise<void> {
    const { partitions, set = {}, output = [], untilEnd } = this.#flags
    this.#module = await loadModule(this.#path, set)
    const { url, plan, options } = this.#module
    this.#topics = new PlanTopics(plan)
    this.#applicationId = this.#flags.applicationId ?? options.applicationId ?? defaultApplicationId(url)
    this.#checkTopics()
    this.#app = this.#makeApp()
    this.#lease = await openEmbedded(this.#broker as Broker)
    this.#apps = new AppRows(this.#lease.backend)
    this.#makeTopics(partitions)
    await this.#openInputs()
    const { log } = this.#lease
    this.#outputs = await OutputFiles.open(output, this.#topics, log, {
      atOnce: untilEnd === true,
      gone: () => {
        this.#unwanted = true
        this.#stop()
      },
      failed: (error) => this.#fail(error),
    })
  }

  /** Lets go of what `prepare` took. */
  async abandon(): Promise<void> {
    for (const pump of this.#pumps) await pump.close()
    await this.#outputs?.close(false)
    await this.#lease?.release()
    await this.#ownBroker?.[Symbol.asyncDispose]()
    this.#signals[Symbol.dispose]()
  }

  /** Returns the exit code. */
  async run(): Promise<number> {
    const app = this.#app as StreamsApp
    const { setup, teardown, url } = this.#module
    const settings = this.#flags.set ?? {}
    const env = { settings, worker: 0, signal: this.#signals.signal, logger: this.#logger }
    const ownThread = (this.#flags.workers ?? 0) === 0
    app.on('state', (change) => this.#progress.event('state', change))
    app.on('restore', (restore) => this.#progress.event('restore', restore))
    if (this.#flags.logLevel === 'debug') app.on('checkpoint', (event) => this.#progress.event('checkpoint', event))
    let failed: number = exitCode.failed
    try {
      if (ownThread) await inUserCode('setup', () => setup?.(env))
      await Promise.all(this.#pumps.map((pump) => pump.prime()))
      if (!this.#stopped) {
        await app.start().catch((error: unknown) => {
          failed = codeOf(error)
          throw error
        })
        this.#apps?.put(this.#applicationId, { module: url.href, settings })
        if (app.httpUrl !== undefined) this.#progress.tell('http', { url: app.httpUrl })
        this.#progress.watch(app)
        if (this.#stopped) this.#stop()
        await this.#feed()
      }
    } catch (error) {
      this.#failure ??= { error }
    }
    const whole = this.#failure === undefined && !this.#stopped
    await this.#finish(whole, ownThread ? () => teardown?.(env) : undefined)
    await this.#tell()
    await this.#ownBroker?.[Symbol.asyncDispose]()
    return this.#failure === undefined ? (this.code ?? exitCode.done) : failed
  }

  /** What became of it. */
  async #tell(): Promise<void> {
    this.#progress.stop()
    if (this.#failure !== undefined) {
      this.#progress.error(this.#failure.error)
      return
    }
    const app = this.#app as StreamsApp
    const summary = app.state === 'closed' ? await app.completed : undefined
    const outputs = (this.#outputs?.tails ?? []).map(({ topic, written }) => ({ topic, records: written }))
    if (summary !== undefined) this.#progress.summary(summary, outputs)
    if (this.#flags.untilEnd && this.code !== undefined && (this.#flags.output ?? []).some(({ file }) => file !== '-'))
      this.#progress.line('interrupted before the end: output files are left as they were')
  }

  get #stopped(): boolean {
    return this.code !== undefined || this.#unwanted
  }

  /** Feeds the app until it has completed, or is to stop. */
  async #feed(): Promise<void> {
    const app = this.#app as StreamsApp
    const { untilEnd } = this.#flags
    const pumps = this.#pumps
    const fed = new Set(pumps.map(({ topic }) => topic))
    const fill = (): void =>
      app.fillInputs(pumps.filter((p) => !p.ended && (untilEnd || !p.passesBy)).map(({ topic }) => topic))
    fill()
    if (untilEnd) {
      const others = this.#sourceTopics().filter((topic) => !fed.has(topic))
      const ended = pumps.filter((pump) => pump.ended).map(({ topic }) => topic)
      app.endInputs([...others, ...ended, ...this.#topics.ownSources])
    }
    const running = pumps.map(async (pump) => {
      if (pump.ended) return
      try {
        await pump.run()
        fill()
        if (untilEnd && pump.ended) app.endInputs([pump.topic])
      } catch (error) {
        this.#fail(error)
      }
    })
    this.#outputs?.wake()
    // An app may fail while standard input says nothing: then nobody waits for it.
    const completed = app.completed.catch((error: unknown) => this.#fail(error))
    await completed
    for (const pump of pumps) pump.stop()
    await Promise.all(running)
  }

  async #finish(whole: boolean, teardown: (() => unknown) | undefined): Promise<void> {
    for (const pump of this.#pumps) pump.stop()
    const steps = [
      () => this.#app?.close(),
      () => (teardown === undefined ? undefined : inUserCode('teardown', teardown)),
      () => this.#warnOfKeys(),
      () => this.#outputs?.close(whole && this.#failure === undefined),
      ...this.#pumps.map((pump) => () => pump.close()),
      () => this.#lease?.release(),
    ]
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        this.#failure ??= { error }
      }
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#stop()
  }

  #stop(): void {
    for (const pump of this.#pumps) pump.stop()
    // One that is just starting is closed when it has started.
    if (this.#app?.state === 'running') void this.#app.close()
  }

  #makeApp(): StreamsApp {
    const { options, topology, url } = this.#module
    const { dir, workers = 0, set, checkpointInterval, http } = this.#flags
    if (dir === undefined && options.broker !== undefined) {
      if (!isEmbedded(options.broker)) {
        throw new DhaaraError(
          'DHAARA_OPTION',
          `the module's broker is of kind '${options.broker.kind}'; give an embedded one, or --dir`,
        )
      }
      this.#broker = options.broker
    } else {
      this.#ownBroker = embeddedBroker(dir === undefined ? {} : { dir })
      this.#broker = this.#ownBroker
    }
    const program: Program =
      workers === 0 ? { topology } : { topology: url, workers, ...(set === undefined ? {} : { settings: set }) }
    return new StreamsApp({
      ...options,
      ...program,
      applicationId: this.#applicationId,
      broker: this.#broker,
      logger: options.logger ?? this.#logger,
      ...(http === undefined ? {} : { http: { ...options.http, port: http } }),
      ...(checkpointInterval === undefined ? {} : { checkpointInterval: checkpointInterval as '1s' }),
    })
  }

  #checkTopics(): void {
    const { input = [], output = [] } = this.#flags
    const topics = this.#topics
    for (const { topic } of input) {
      if (topics.sourceOf(topic) !== undefined) continue
      const known = topics.inputs.join(', ') || 'none by name'
      throw new DhaaraError('DHAARA_OPTION', `the topology does not read topic '${topic}'; it reads: ${known}`)
    }
    if (topics.choosesTopics) return
    const deadLetters = this.#module.options.errors?.deadLetterTopic ?? `${this.#applicationId}-dead-letters`
    const known = new Set([...topics.outputs, deadLetters])
    for (const { topic } of output) {
      if (known.has(topic) || topics.sourceOf(topic) !== undefined) continue
      throw new DhaaraError(
        'DHAARA_OPTION',
        `the topology does not write topic '${topic}'; it writes: ${[...known].join(', ')}`,
      )
    }
  }

  #makeTopics(partitions: number | undefined): void {
    const lease = this.#lease as EmbeddedLease
    const inputs = (this.#flags.input ?? []).map(({ topic }) => topic)
    for (const topic of new Set([...this.#topics.inputs, ...inputs])) {
      if (partitions === undefined) lease.ensureTopic(topic)
      else lease.log.createTopic(topic, partitions)
    }
    if (!this.#flags.untilEnd) return
    for (const { topics, name } of this.#topics.sources) {
      if (!(topics instanceof RegExp) || this.#sourceTopics().some((topic) => topics.test(topic))) continue
      throw new DhaaraError(
        'DHAARA_OPTION',
        `no topic fits ${topics} of source '${name}', so there is no end of it; give an --input for it`,
      )
    }
  }

  /** Topics that exist and are read. */
  #sourceTopics(): readonly string[] {
    const { log } = this.#lease as EmbeddedLease
    return log.topics().flatMap(({ name }) => (this.#topics.sourceOf(name) === undefined ? [] : [name]))
  }

  async #openInputs(): Promise<void> {
    const lease = this.#lease as EmbeddedLease
    const { input = [], inputFormat } = this.#flags
    if (input.length === 0) return
    const rows = new ProgressRows(lease.backend)
    this.#pumps = input.map(({ topic, file }) => {
      const { partitions } = lease.ensureTopic(topic)
      const builders = Array.from({ length: partitions }, () => new FrameBuilder())
      const maker = new RecordMaker(topic, this.#topics.sourceOf(topic) ?? {}, inputFormat, builders)
      return new InputPump({ topic, file, maker, builders, lease, rows, lag: () => this.#lagOf(topic, partitions) })
    })
    for (const pump of this.#pumps) await pump.open()
  }

  #lagOf(topic: string, partitions: number): number | undefined {
    const { log } = this.#lease as EmbeddedLease
    let lag = 0
    for (let partition = 0; partition < partitions; partition++) {
      const position = this.#app?.positionOf(topic, partition)
      if (position === undefined) return this.#app?.state === 'running' ? 0 : undefined
      lag += Math.max(0, log.endOffset(topic, partition) - position)
    }
    return lag
  }

  #warnOfKeys(): void {
    for (const pump of this.#pumps) {
      const { withoutKey } = pump
      if (withoutKey === 0) continue
      this.#logger.warn(
        { topic: pump.topic, lines: withoutKey },
        'lines have no key: keyOf threw, or its key does not fit the key serde',
      )
    }
  }
}

async function inUserCode(name: string, fn: () => unknown): Promise<void> {
  try {
    await fn()
  } catch (cause) {
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    throw new DhaaraError('DHAARA_USER_CODE', `${name} of the module threw ${text}`, { cause })
  }
}
