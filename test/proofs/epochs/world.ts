import { Database, taskName } from './database.ts'
import { checkCut } from './invariants.ts'
import type { Prefetch, Store } from './store.ts'
import type { Input, Task } from './task.ts'
import type { Part, Setup } from './types.ts'
import { type Channel, channelName, Worker } from './worker.ts'

/** The kinds of step; `CALM` are those that a run needs to come to its end, in the order in which `drain` takes them. */
export const CALM = [
  'deliver',
  'receive',
  'apply',
  'read',
  'announce',
  'report',
  'beginWrite',
  'finishWrite',
  'open',
] as const
export const STEPS = [...CALM, 'fallIdle', 'evict', 'prefetch', 'prefetched', 'crash', 'die'] as const
export type Step = (typeof STEPS)[number]

interface Candidate {
  readonly label: string
  readonly run: (pick: number) => void
}

/** The job does not come to its end although nothing fails any more. */
export class Deadlock extends Error {}

/** The group, step by step: each call of `step` lets one part of it do one atomic thing. */
export class World {
  readonly db: Database
  readonly workers: Worker[]
  readonly channels = new Map<string, Channel>()
  /** Steps that were enabled and taken. */
  taken = 0
  #generation = 0
  #opened = 0
  #parts = new Map<number, Map<number, Part>>()
  #writing: { readonly epoch: number; readonly parts: Part[] } | null = null
  #prefetches: { readonly store: Store; readonly read: Prefetch }[] = []
  readonly #setup: Setup

  constructor(setup: Setup) {
    this.#setup = setup
    this.db = new Database(setup)
    for (let stage = 0; stage < setup.stages - 1; stage++) {
      for (let from = 0; from < setup.partitions; from++) {
        for (let to = 0; to < setup.partitions; to++) {
          const name = channelName(stage, from, to)
          this.channels.set(name, { name, stage, from, to, wire: [] })
        }
      }
    }
    this.workers = Array.from({ length: setup.workers }, (_, id) => new Worker(id, setup, this.db, this.channels))
    for (const worker of this.workers) worker.restore(0)
  }

  /** Takes the `pick`-th of the enabled steps of a kind; false if there is none. */
  step(kind: Step, pick: number): boolean {
    const candidates = this.candidates(kind)
    const candidate = candidates[pick % candidates.length]
    candidate?.run(Math.floor(pick / candidates.length))
    if (candidate) this.taken++
    return candidate !== undefined
  }

  /** Takes a step by its label: `do('apply', '0.0>1')`. @throws if it is not enabled */
  do(kind: Step, label: string | number = '', pick = 0): this {
    const candidates = this.candidates(kind)
    const candidate = candidates.find((each) => each.label === String(label))
    if (!candidate) throw new Error(`${kind} ${label} is not enabled: ${candidates.map((each) => each.label)}`)
    candidate.run(pick)
    this.taken++
    return this
  }

  /** Whether a step is enabled. */
  can(kind: Step, label: string | number = ''): boolean {
    return this.candidates(kind).some((each) => each.label === String(label))
  }

  task(stage: number, partition: number): Task {
    return this.workers[partition % this.#setup.workers]?.tasks.get(taskName(stage, partition)) as Task
  }

  /** Runs, fairly and without faults, until the job has committed its end. @throws if it never does */
  drain(): this {
    for (let round = 0; round < 400; round++) {
      if (this.db.completed) return this
      for (const kind of CALM)
        for (const { label } of this.candidates(kind)) if (this.can(kind, label)) this.do(kind, label)
    }
    throw new Deadlock('the job never commits its end')
  }

  candidates(kind: Step): Candidate[] {
    const { mutant, k } = this.#setup
    const next = this.#nextComplete()
    switch (kind) {
      case 'open':
        return this.#opened - this.db.epoch < k ? [{ label: '', run: () => this.#open() }] : []
      case 'deliver':
        return this.#each(
          ({ inbox }) => inbox.length > 0,
          (worker) => this.#deliver(worker),
          (worker) => this.#mayDeliver(worker),
        )
      case 'report':
        return this.workers
          .filter(({ outbox }) => outbox.length > 0)
          .map((w) => ({ label: `${w.id}`, run: () => this.#report(w) }))
      case 'beginWrite':
        return next !== undefined && !this.#writing ? [{ label: '', run: () => this.#beginWrite(next) }] : []
      case 'finishWrite':
        return this.#writing ? [{ label: '', run: () => this.#finishWrite() }] : []
      case 'receive':
        return this.#inputs(({ wire }, worker, _, task) => {
          const frame = wire[0]
          if (!frame || frame.generation > worker.generation) return undefined
          if (mutant === 'stopReceivingWhenPaused' && task.paused) return undefined
          return (input) => worker.receive(input, wire.shift() ?? frame)
        })
      case 'apply':
        return this.#inputs((_, worker, input, task) => {
          const frame = worker.applicable(task, input)
          if (!frame || (frame.kind === 'record' && !this.#mayWork(worker, task))) return undefined
          return () => task.apply(input.pending.shift() ?? frame, input)
        })
      case 'read':
        return this.#tasks(
          (task, worker) => task.canRead && this.#mayWork(worker, task),
          (task) => task.read(),
        )
      case 'fallIdle':
        return this.#tasks(
          (task) => task.canRead && !task.idle,
          (task) => task.fallIdle(),
        )
      case 'announce':
        return this.#tasks(
          () => true,
          (task) => task.announce(),
        )
      case 'evict':
        return this.#tasks(
          () => true,
          (task, pick) => task.store.evict(pick),
        )
      case 'prefetch':
        return this.#tasks(
          () => true,
          ({ store }, pick) => {
            const keys = store.keys('')
            this.#prefetches.push({ store, read: store.prefetch(keys[pick % keys.length] ?? '') })
          },
        )
      case 'prefetched':
        return this.#prefetches.map(({ store, read }, i) => ({
          label: read.key,
          run: () => {
            this.#prefetches.splice(i, 1)
            store.prefetched(read)
          },
        }))
      case 'crash':
        return [{ label: '', run: (pick) => this.#crash(pick % 2 === 1) }]
      case 'die':
        return this.workers.map((worker) => ({ label: `${worker.id}`, run: () => this.#die(worker) }))
    }
  }

  #open(): void {
    this.#opened++
    this.#broadcast('seal', this.#opened)
  }

  #broadcast(kind: 'seal' | 'written' | 'restore', epoch: number): void {
    for (const { inbox } of this.workers) inbox.push({ kind, epoch, generation: this.#generation })
  }

  #mayDeliver(worker: Worker): boolean {
    if (worker.inbox[0]?.kind === 'restore') return true
    if (worker.dead || this.#isBlocked(worker)) return false
    if (this.#setup.mutant !== 'markerNeedsCredit' || worker.inbox[0]?.kind !== 'seal') return true
    return [...worker.tasks.values()].every((task) => this.#hasRoom(task))
  }

  #deliver(worker: Worker): void {
    const order = worker.inbox.shift()
    if (order?.kind === 'restore') worker.restore(order.generation)
    else if (order?.generation !== worker.generation) return
    else if (order.kind === 'seal') worker.seal(order.epoch)
    else for (const { store } of worker.tasks.values()) store.written(order.epoch)
  }

  #report(worker: Worker): void {
    const part = worker.outbox.shift()
    if (!part || (part.generation !== this.#generation && this.#setup.mutant !== 'ignoreGeneration')) return
    const parts = this.#parts.get(part.epoch) ?? new Map<number, Part>()
    this.#parts.set(part.epoch, parts.set(part.worker, part))
  }

  #nextComplete(): number | undefined {
    const { mutant, workers } = this.#setup
    const needed = mutant === 'writePartial' ? 1 : workers
    const complete = [...this.#parts].filter(([, parts]) => parts.size >= needed).map(([epoch]) => epoch)
    if (mutant === 'newestFirst') return complete.sort((a, b) => b - a)[0]
    return complete.find((epoch) => epoch === this.db.epoch + 1)
  }

  #beginWrite(epoch: number): void {
    const parts = [...(this.#parts.get(epoch)?.values() ?? [])].sort((a, b) => a.worker - b.worker)
    this.#parts.delete(epoch)
    this.#writing = { epoch, parts }
  }

  #finishWrite(): void {
    if (!this.#writing) return
    const { epoch, parts } = this.#writing
    const before = new Map(this.db.cuts)
    this.db.write(epoch, parts, this.#setup.mutant)
    this.#writing = null
    this.#broadcast('written', epoch)
    if (this.#setup.invariants) checkCut(this.#setup, this.db, before)
  }

  /** The process dies: a write that is under way has happened or has not, never half. */
  #crash(written: boolean): void {
    if (written) this.#finishWrite()
    this.#writing = null
    this.#restart()
    for (const { wire } of this.channels.values()) wire.length = 0
    for (const worker of this.workers) {
      worker.inbox.length = 0
      worker.outbox.length = 0
    }
    for (const worker of this.workers) worker.restore(this.#generation)
  }

  /** A worker dies: the group goes back. What was on its way stays on its way, from an older generation. */
  #die(worker: Worker): void {
    if (this.#setup.mutant !== 'restoreDuringWrite') this.#finishWrite()
    this.#restart()
    worker.inbox.length = 0
    worker.dead = true
    worker.tasks.clear()
    this.#broadcast('restore', this.db.epoch)
  }

  #restart(): void {
    this.#generation++
    this.#opened = this.db.epoch
    this.#parts.clear()
    this.#prefetches = []
  }

  #held({ stage, from, to, wire }: Channel): number {
    return wire.length + (this.task(stage + 1, to)?.inputs[from]?.pending.length ?? 0)
  }

  #hasRoom(task: Task): boolean {
    const prefix = `${task.name}>`
    return [...this.channels.values()].every(
      (each) => !each.name.startsWith(prefix) || this.#held(each) < this.#setup.capacity,
    )
  }

  /** Room is asked for before a batch; a batch that has begun always ends. */
  #mayWork(worker: Worker, task: Task): boolean {
    if (task.paused || this.#isBlocked(worker)) return false
    return this.#setup.mutant === 'blockInBatch' || this.#hasRoom(task)
  }

  #isBlocked(worker: Worker): boolean {
    if (this.#setup.mutant !== 'blockInBatch') return false
    return [...this.channels.values()].some(
      (each) => worker.tasks.has(taskName(each.stage, each.from)) && this.#held(each) > this.#setup.capacity,
    )
  }

  #each(
    enabled: (worker: Worker) => boolean,
    run: (worker: Worker) => void,
    also: (worker: Worker) => boolean,
  ): Candidate[] {
    return this.workers
      .filter((worker) => enabled(worker) && also(worker))
      .map((worker) => ({ label: `${worker.id}`, run: () => run(worker) }))
  }

  #tasks(enabled: (task: Task, worker: Worker) => boolean, run: (task: Task, pick: number) => void): Candidate[] {
    return this.workers.flatMap((worker) =>
      [...worker.tasks.values()]
        .filter((task) => !this.#isBlocked(worker) && enabled(task, worker))
        .map((task) => ({ label: task.name, run: (pick: number) => run(task, pick) })),
    )
  }

  #inputs(
    enabled: (channel: Channel, worker: Worker, input: Input, task: Task) => ((input: Input) => void) | undefined,
  ): Candidate[] {
    const found: Candidate[] = []
    for (const channel of this.channels.values()) {
      const worker = this.workers[channel.to % this.#setup.workers]
      const task = worker?.tasks.get(taskName(channel.stage + 1, channel.to))
      const input = task?.inputs[channel.from]
      if (!worker || !task || !input || this.#isBlocked(worker)) continue
      const run = enabled(channel, worker, input, task)
      if (run) found.push({ label: channel.name, run: () => run(input) })
    }
    return found
  }
}
