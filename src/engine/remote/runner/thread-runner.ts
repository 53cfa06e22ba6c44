import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type PortLog, threadEnv, watchPulse } from '../../../connectors/broker/apart/index.ts'
import type { Lease } from '../../../connectors/broker/lease.ts'
import type { Membership } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { receiveError } from '../../../errors/sent-error.ts'
import type { RocksBackend, SharedHandle } from '../../../state/backends/index.ts'
import { answerOf, give } from '../../app/workers/ask.ts'
import type { EngineReport } from '../../app/engine.ts'
import type { Settings } from '../../app/settings/options.ts'
import { restoring } from '../../app/workers/pending.ts'
import { answerPolicy, sentSettings } from '../../app/workers/sent-settings.ts'
import type { WorkerProgram } from '../../app/workers/workers.ts'
import type { Question } from '../../app/workers/worker-protocol.ts'
import { type Packed, type RawQuery, type RawRows, type RawValues, unpackRaw } from '../../query/index.ts'
import type { StoreNumbers } from '../state/changelog.ts'
import type { Offsets } from '../inputs.ts'
import type { RunnerCall, RunnerReport, RunnerStart } from './runner-messages.ts'
import type { Assignment, RunnerEvents, TaskRunner } from './task-runner.ts'
import type { WatchedStores } from '../queries/written-rows.ts'

/** A worker that dies so often without having committed anything is not replaced any more; one that is stuck, once. */
const mostDeaths = 5
const mostStuck = 1
/** Longest time that a worker may take to end when it is told to, ms. */
const longestEnd = 5000

/** Longest time that it may take to end what it has left open, ms. */
const longestAbandon = 2500

// one file extension here and there: sources run as they are, the package is compiled
const script = new URL(import.meta.url.endsWith('.ts') ? './runner-thread.ts' : './runner-thread.js', import.meta.url)

export interface ThreadParts {
  readonly program: WorkerProgram
  readonly number: number
  readonly settings: Settings
  readonly log: PortLog
  readonly backend: RocksBackend
  readonly ids: StoreNumbers
  readonly transactionalId: string
  readonly events: RunnerEvents
  readonly lease: Lease
}

interface Call extends RunnerCall {
  readonly done: PromiseWithResolvers<unknown>
  /** What it comes to where the worker dies. */
  readonly lost: () => unknown
}

/** A runner on a worker thread. One that dies, or is stuck, is replaced: it runs no tasks then, as after a refused commit. */
export class ThreadRunner implements TaskRunner {
  private readonly parts: ThreadParts
  private readonly calls = new Map<number, Call>()
  private next = 1
  private port: MessagePort | undefined
  private thread: Worker | undefined
  private handle: SharedHandle | undefined
  readonly writes = new Int32Array(new SharedArrayBuffer(4))
  private pulseWatch: Disposable | undefined
  private exited: Promise<void> = Promise.resolve()
  private ready = Promise.withResolvers<void>()
  private started = false
  private fenced = false
  private stopping = false
  private deaths = 0
  private stuck = 0
  /** Of threads that are gone, and of the present one. */
  private before: EngineReport = nothing
  private last: EngineReport = nothing

  static async hire(parts: ThreadParts): Promise<ThreadRunner> {
    const runner = new ThreadRunner(parts)
    runner.begin()
    await runner.ready.promise
    runner.started = true
    return runner
  }

  private constructor(parts: ThreadParts) {
    this.parts = parts
  }

  async fence(): Promise<void> {
    if (this.fenced) return
    await this.call('fence', [], () => {
      throw new DhaaraError('DHAARA_WORKER_DIED', `worker ${this.parts.number} died while it was fenced`)
    })
    this.fenced = true
  }

  assign(assignment: Assignment): Promise<boolean> {
    return this.call('assign', [assignment], () => false) as Promise<boolean>
  }

  hold(): Promise<boolean> {
    return this.call('hold', [], () => false) as Promise<boolean>
  }

  watch(wanted: WatchedStores): Promise<void> {
    return this.call('watch', [wanted], () => {
      throw restoring(`worker ${this.parts.number} has ended`)
    }) as Promise<void>
  }

  settle(): Promise<void> {
    return this.call('settle', [], () => {
      throw restoring(`worker ${this.parts.number} has ended`)
    }) as Promise<void>
  }

  release(membership: Membership): void {
    this.tell('release', [membership])
  }

  async lose(): Promise<void> {
    await this.call('lose', [], () => undefined)
    this.fenced = false
  }

  bound(ends: Offsets): void {
    this.tell('bound', [ends])
  }

  fill(topics: readonly string[]): void {
    this.tell('fill', [topics])
  }

  positionOf(): undefined {
    return undefined
  }

  async ask(sub: number, partition: number, store: string, query: RawQuery): Promise<RawRows | RawValues> {
    const args = [sub, partition, store, query]
    const answer = await this.call('ask', args, () => {
      throw restoring(`worker ${this.parts.number} has ended`)
    })
    return unpackRaw(answer as Packed)
  }

  report(): EngineReport {
    const { before, last } = this
    const counters = new Map(before.counters)
    for (const [name, n] of last.counters) counters.set(name, (counters.get(name) ?? 0) + n)
    return {
      recordsIn: before.recordsIn + last.recordsIn,
      recordsOut: before.recordsOut + last.recordsOut,
      counters,
      epochs: before.epochs + last.epochs,
      watermark: last.watermark,
      tasks: (last.tasks ?? []).map((task) => ({ ...task, worker: this.parts.number })),
      errors: last.errors ?? [],
    }
  }

  async stop(): Promise<void> {
    this.stopping = true
    const stopped = this.call('stop', [], () => undefined)
    const stuck = setTimeout(() => void this.thread?.terminate(), this.parts.settings.stuckAfter)
    await stopped
    clearTimeout(stuck)
    const timer = setTimeout(() => void this.thread?.terminate(), longestEnd)
    await this.exited
    clearTimeout(timer)
  }

  async abandon(): Promise<void> {
    const { clock } = this.parts.settings
    const abandoned = this.call('abandon', [], () => undefined).catch(() => {})
    this.stopping = true
    await Promise.race([
      abandoned,
      new Promise<void>((resolve) => void clock.setTimer(clock.now() + longestAbandon, resolve)),
    ])
    await this.thread?.terminate()
    await this.exited
  }

  private begin(): void {
    const { program, number, settings, log, backend, transactionalId } = this.parts
    const orders = new MessageChannel()
    const answers = new MessageChannel()
    const toLog = new MessageChannel()
    const answered = new SharedArrayBuffer(4)
    const pulse = new SharedArrayBuffer(4)
    log.share(toLog.port1)
    this.handle = backend.lend()
    // one that died while it wrote
    if (Atomics.load(this.writes, 0) % 2 === 1) Atomics.add(this.writes, 0, 1)
    const workerData: RunnerStart = {
      url: program.url.href,
      env: program.settings,
      worker: number,
      workers: program.workers,
      settings: sentSettings(settings),
      transactionalId,
      handle: this.handle,
      pulse,
      writes: this.writes.buffer as SharedArrayBuffer,
      lease: this.parts.lease.memory,
      port: orders.port2,
      log: toLog.port2,
      answers: answers.port2,
      answered,
    }
    const transferList = [orders.port2, toLog.port2, answers.port2]
    const thread = new Worker(script, { workerData, transferList, env: threadEnv(), name: `dhaara-${number}` })
    this.thread = thread
    this.port = orders.port1
    this.ready = Promise.withResolvers()
    this.ready.promise.catch(() => {})
    orders.port1.on('message', (report: RunnerReport) => {
      if (report.type === 'ask')
        give(
          answers.port1,
          answered,
          answerOf(() => this.answer(report.question)),
        )
      else this.hear(report)
    })
    let cause: unknown
    thread.on('error', (error) => {
      cause = error
    })
    this.exited = new Promise((resolve) => {
      thread.once('exit', (code) => {
        orders.port1.close()
        answers.port1.close()
        this.pulseWatch?.[Symbol.dispose]()
        backend.takeBack(this.handle as SharedHandle)
        resolve()
        this.died(cause ?? new Error(`it ended with exit code ${code}`))
      })
    })
    // a module may take its time to load
    this.ready.promise.then(
      () => {
        this.pulseWatch = watchPulse(pulse, settings.stuckAfter, (ms) => this.isStuck(ms))
      },
      () => {},
    )
  }

  private hear(report: Exclude<RunnerReport, { type: 'ask' }>): void {
    const { events, settings, program, number } = this.parts
    if (report.type === 'log') settings.logger[report.level](report.fields as object, report.message)
    else if (report.type === 'ready') {
      if (report.hash === program.hash) this.ready.resolve()
      else this.giveUp(planUnequal(number, program, report.hash))
    } else if (report.type === 'broken') this.giveUp(receiveError(report.error))
    else if (report.type === 'reply') {
      if (report.report !== undefined) this.last = report.report
      const call = this.calls.get(report.id)
      this.calls.delete(report.id)
      if (report.error === undefined) call?.done.resolve(report.value)
      else call?.done.reject(receiveError(report.error))
    } else if (report.type === 'checkpoint') {
      this.last = report.report
      this.deaths = 0
      this.stuck = 0
      events.checkpoint(report.event)
    } else if (report.type === 'written') events.written(report.written)
    else if (report.type === 'ended') {
      this.last = report.report
      events.ended(report.tasks)
    } else if (report.type === 'refused') {
      this.fenced = false
      events.refused(receiveError(report.error))
    } else events.failed(receiveError(report.error))
  }

  private answer(question: Question): unknown {
    if (question.type === 'storeId') return this.parts.ids.idOf(question.name)
    if (question.type === 'policy') return answerPolicy(this.parts.settings, question)
    throw new DhaaraError('DHAARA_INTERNAL', `a worker on a remote log asked for ${question.type}`)
  }

  private isStuck(ms: number): void {
    const { number, settings, events } = this.parts
    const what = `a function of the topology has kept worker ${number} busy for ${Math.round(ms / 1000)} s without coming back`
    const error = new DhaaraError(
      'DHAARA_STEP_STUCK',
      `${what}. Look for a loop that does not end; give a greater stuckAfter where it may take so long`,
    )
    settings.logger.error({ worker: number, code: error.code }, error.message)
    if (++this.stuck > mostStuck) {
      this.stopping = true
      events.failed(error)
    }
    void this.thread?.terminate()
  }

  private died(cause: unknown): void {
    const { number, settings, events } = this.parts
    this.fenced = false
    this.before = { ...this.report(), watermark: Number.NEGATIVE_INFINITY }
    this.last = nothing
    for (const call of this.calls.values()) {
      try {
        call.done.resolve(call.lost())
      } catch (error) {
        call.done.reject(error)
      }
    }
    this.calls.clear()
    if (this.stopping) {
      this.ready.reject(restoring(`worker ${number} has ended`))
      return
    }
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    const { ready } = this
    const when = this.started ? `${mostDeaths + 1} times without getting further` : 'while it started'
    const error = new DhaaraError('DHAARA_WORKER_DIED', `worker ${number} died ${when}; at last: ${text}`, { cause })
    if (!this.started || ++this.deaths > mostDeaths) {
      this.giveUp(error)
      return
    }
    settings.logger.warn({ worker: number, error: text }, 'a worker died, and is replaced')
    this.begin()
    // who has waited for it waits for the next one
    ready.reject(error)
    this.ready.promise.then(
      () => events.refused(error),
      () => {},
    )
  }

  /** Resolves when a thread is up: this one, or one that takes its place. */
  private async up(): Promise<void> {
    for (;;) {
      const { ready } = this
      try {
        return await ready.promise
      } catch (error) {
        if (ready === this.ready) throw error
      }
    }
  }

  private giveUp(error: Error): void {
    this.stopping = true
    this.ready.reject(error)
    if (this.started) this.parts.events.failed(error)
    void this.thread?.terminate()
  }

  private async call(method: RunnerCall['method'], args: readonly unknown[], lost: () => unknown): Promise<unknown> {
    if (this.stopping && method !== 'stop') return lost()
    try {
      await this.up()
    } catch (error) {
      if (this.stopping) return lost()
      throw error
    }
    const id = this.next++
    const done = Promise.withResolvers<unknown>()
    this.calls.set(id, { id, method, args, done, lost })
    this.port?.postMessage({ id, method, args } satisfies RunnerCall)
    return done.promise
  }

  private tell(method: RunnerCall['method'], args: readonly unknown[]): void {
    this.up().then(
      () => this.port?.postMessage({ method, args } satisfies RunnerCall),
      () => {},
    )
  }
}

const nothing: EngineReport = {
  recordsIn: 0,
  recordsOut: 0,
  counters: new Map(),
  epochs: 0,
  watermark: Number.NEGATIVE_INFINITY,
}

const planUnequal = (worker: number, { url, hash }: WorkerProgram, found: string): DhaaraError =>
  new DhaaraError(
    'DHAARA_PLAN_UNEQUAL',
    `worker ${worker} made the plan ${found.slice(0, 12)} from ${url.href}, and the app made ${hash.slice(0, 12)}; a topology must not depend on clock, environment or random numbers: give what varies as settings`,
  )
