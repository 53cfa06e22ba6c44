import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { threadEnv, watchPulse } from '../../../connectors/broker/apart/index.ts'
import type { Bells } from '../../runtime/channels/bells.ts'
import { answerOf, give } from './ask.ts'
import { type StuckAt, stuckAt } from './stuck-at.ts'
import type { Order, Question, Report, WorkerStart } from './worker-protocol.ts'

/** What the owner of the workers makes of them. */
export interface WorkerEvents {
  report(worker: number, report: Report): void
  /** What only the owner knows; may throw. */
  answer(question: Question): unknown
  /** The thread has ended without having been told to. */
  died(worker: number, cause: unknown): void
}

/** Longest time that a worker may take to end when it is told to, ms. */
const patience = 5000

// one file extension here and there: sources run as they are, the package is compiled
const script = new URL(import.meta.url.endsWith('.ts') ? './worker-thread.ts' : './worker-thread.js', import.meta.url)

/** One worker thread, as its owner sees it. */
export class WorkerHandle {
  readonly worker: number
  private readonly thread: Worker
  private readonly port: MessagePort
  private readonly bells: Bells
  private readonly exited: Promise<void>
  private leaving = false
  private readonly pulse = new SharedArrayBuffer(12)
  private watch: Disposable | undefined
  private cause: unknown

  constructor(
    start: Omit<WorkerStart, 'port' | 'answers' | 'answered' | 'pulse'>,
    bells: Bells,
    events: WorkerEvents,
    code: URL = script,
  ) {
    const { worker } = start
    const orders = new MessageChannel()
    const answers = new MessageChannel()
    const answered = new SharedArrayBuffer(4)
    this.worker = worker
    this.bells = bells
    this.port = orders.port1
    const { pulse } = this
    const workerData: WorkerStart = { ...start, pulse, port: orders.port2, answers: answers.port2, answered }
    const transferList = [orders.port2, answers.port2]
    this.thread = new Worker(code, { workerData, transferList, env: threadEnv(), name: `dhaara-${worker}` })
    const take = (report: Report): void => {
      if (report.type !== 'ask') events.report(worker, report)
      else
        give(
          answers.port1,
          answered,
          answerOf(() => events.answer(report.question)),
        )
    }
    this.port.on('message', take)
    this.thread.on('error', (error: unknown) => {
      this.cause = error
    })
    this.exited = new Promise((resolve) => {
      this.thread.once('exit', (code) => {
        // what it said last may lie here still
        for (let last = receiveMessageOnPort(this.port); last !== undefined; last = receiveMessageOnPort(this.port)) {
          take(last.message as Report)
        }
        this.watch?.[Symbol.dispose]()
        this.port.close()
        answers.port1.close()
        resolve()
        if (!this.leaving) events.died(worker, this.cause ?? new Error(`it ended with exit code ${code}`))
      })
    })
  }

  order(order: Order): void {
    this.port.postMessage(order)
    this.bells.ring(this.worker)
  }

  /** Calls `stuck` when it has not come back from a task's work, or anything else, for so long. @param patience ms */
  watchOver(patience: number, stuck: (ms: number) => void): void {
    this.watch ??= watchPulse(this.pulse, patience, stuck)
  }

  /** Halts it for good, and looks what it is doing. */
  async stuckAt(): Promise<StuckAt & { readonly task?: string }> {
    const [, sub = 0, partition] = new Int32Array(this.pulse)
    const found = await stuckAt(this.thread.threadId)
    return sub === 0 ? found : { ...found, task: `${sub - 1}_${partition}` }
  }

  /** Ends it at once: it has died of this. */
  kill(cause: unknown): void {
    this.cause = cause
    void this.thread.terminate()
  }

  /** Lets it end by itself, if it does so in time. */
  async leave(): Promise<void> {
    this.leaving = true
    this.order({ type: 'close' })
    const timer = setTimeout(() => void this.thread.terminate(), patience)
    await this.exited
    clearTimeout(timer)
  }

  /** Ends it at once. */
  async terminate(): Promise<void> {
    this.leaving = true
    await this.thread.terminate()
    await this.exited
  }
}
