import { type Database, taskName } from './database.ts'
import { type Input, type Send, Task } from './task.ts'
import type { Frame, Order, Part, Setup, TaskPart } from './types.ts'

/** A channel from task (stage, from) to task (stage + 1, to). */
export interface Channel {
  readonly name: string
  readonly stage: number
  readonly from: number
  readonly to: number
  /** Sent, not received. Empty for channels within one worker. */
  readonly wire: Frame[]
}

export const channelName = (stage: number, from: number, to: number): string => `${taskName(stage, from)}>${to}`

/** A thread: its tasks share an epoch, seal together, and hand over one part an epoch. */
export class Worker {
  readonly id: number
  generation = -1
  epoch = 0
  dead = true
  readonly tasks = new Map<string, Task>()
  /** Orders from the coordinator, parts to it: first in, first out. */
  readonly inbox: Order[] = []
  readonly outbox: Part[] = []
  /** Sealed here, and something of it may still arrive. */
  #sealing: Part[] = []
  readonly #setup: Setup
  readonly #db: Database
  readonly #channels: ReadonlyMap<string, Channel>

  constructor(id: number, setup: Setup, db: Database, channels: ReadonlyMap<string, Channel>) {
    this.id = id
    this.#setup = setup
    this.#db = db
    this.#channels = channels
  }

  /** Starts, or goes back to, what the database holds. */
  restore(generation: number): void {
    const { partitions, workers, mutant } = this.#setup
    this.generation = generation
    this.epoch = this.#db.epoch + 1
    this.dead = false
    this.#sealing = []
    this.tasks.clear()
    for (const [name, cut] of this.#db.cuts) {
      const [stage, partition] = name.split('.').map(Number) as [number, number]
      if (partition % workers !== this.id) continue
      const stored = this.#db.state.get(name) ?? new Map<string, string>()
      const task = new Task(stage, partition, this.#setup, cut, stored, this.#sender(stage, partition))
      this.tasks.set(name, task)
      task.inputs.forEach((input, from) => {
        const producer = this.#db.cuts.get(taskName(stage - 1, from))
        const said = producer?.watermark ?? Number.NEGATIVE_INFINITY
        for (let i = 0; i < input.pending.length; i++) {
          const frame = { ...input.pending[i], generation } as Frame
          if (frame.kind === 'record' && mutant === 'inFlightLosesWatermarks') Object.assign(frame, { watermark: said })
          input.pending[i] = frame
        }
        if (mutant === 'announceAtOnce') input.watermark = said
        if (mutant === 'inFlightLast' && from % workers !== this.id) {
          this.#channels.get(channelName(stage - 1, from, partition % partitions))?.wire.push(...input.pending)
          input.pending = []
        }
      })
    }
  }

  /** The head of a channel's pending frames, if its epoch is reached. */
  applicable(task: Task, input: Input): Frame | undefined {
    const frame = input.pending[0]
    if (!frame || frame.epoch <= this.epoch || this.#setup.mutant === 'applyAhead') return frame
    return this.#setup.mutant === 'controlIgnoresEpoch' && frame.kind === 'control' && !task.paused ? frame : undefined
  }

  /** Takes a frame from the wire, whether or not it may be applied yet. */
  receive(input: Input, frame: Frame): void {
    if (frame.generation < this.generation && this.#setup.mutant !== 'ignoreGeneration') return
    if (frame.kind !== 'marker') {
      input.pending.push(frame)
      if (frame.kind !== 'record' || this.#setup.mutant === 'captureReceivedOnly') return
      for (const [epoch, frames] of input.captures) if (frame.epoch <= epoch) frames.push(frame)
      return
    }
    input.marker = frame.epoch
    const frames = input.captures.get(frame.epoch)
    if (frames && this.#setup.mutant === 'captureAtMarker') {
      frames.splice(0, frames.length, ...frames.filter((each) => each.seq > input.applied))
    }
    input.captures.delete(frame.epoch)
    this.#handOver()
  }

  /** Between two batches: all tasks leave the epoch at once, and go on. */
  seal(epoch: number): void {
    const { mutant } = this.#setup
    const tasks = [...this.tasks.values()]
    if (mutant === 'endedWorkerLeaves' && tasks.every((task) => task.watermark === Number.POSITIVE_INFINITY)) return
    const part: Part = { generation: this.generation, epoch, worker: this.id, tasks: new Map() }
    for (const task of tasks) part.tasks.set(task.name, this.#sealTask(task, epoch))
    this.#sealing.push(part)
    this.epoch = epoch + 1
    for (const { name, stage, from, wire } of this.#channels.values()) {
      if (!this.tasks.has(taskName(stage, from)) || this.#isLocal(name)) continue
      const marker: Frame = { kind: 'marker', generation: this.generation, epoch }
      if (mutant === 'markerOvertakes') wire.unshift(marker)
      else wire.push(marker)
    }
    this.#handOver()
  }

  #sealTask(task: Task, epoch: number): TaskPart {
    const { mutant, workers } = this.#setup
    task.store.seal(epoch)
    const inputs = task.inputs.map((input, from) => {
      const frames = input.pending.filter((frame) => frame.kind === 'record')
      const inFlight = mutant === 'captureArrivingOnly' ? [] : frames.filter((frame) => frame.epoch <= epoch)
      if (from % workers !== this.id && input.marker < epoch) input.captures.set(epoch, inFlight)
      return { applied: input.applied, watermark: input.watermark, idle: input.idle, inFlight }
    })
    const { position, watermark, idle, sent, outputs } = task
    task.outputs = []
    return { position, watermark, idle, sent: [...sent], inputs, outputs, delta: new Map() }
  }

  /** Hands over, in order, the parts to which nothing can come any more. */
  #handOver(): void {
    const { mutant } = this.#setup
    for (let part = this.#sealing[0]; part; part = this.#sealing[0]) {
      const { epoch } = part
      const tasks = [...this.tasks.values()]
      if (tasks.some((task) => task.inputs.some((input) => input.captures.has(epoch)))) return
      for (const task of tasks) {
        const cut = part.tasks.get(task.name)
        if (!cut) continue
        cut.delta = task.store.delta(epoch)
        if (mutant === 'positionsAtHandOver') cut.position = task.position
        if (mutant === 'watermarksAtHandOver') cut.watermark = task.watermark
        cut.inputs.forEach((input, i) => {
          const now = task.inputs[i]
          if (mutant === 'watermarksAtHandOver') input.watermark = now?.watermark ?? input.watermark
          if (mutant === 'forgetInFlight') input.inFlight = []
        })
      }
      this.#sealing.shift()
      this.outbox.push(part)
    }
  }

  #isLocal(name: string): boolean {
    const { from, to } = this.#channels.get(name) as Channel
    return from % this.#setup.workers === to % this.#setup.workers
  }

  #sender(stage: number, from: number): Send {
    return (to, frame) => {
      const full = { ...frame, generation: this.generation, epoch: this.epoch } as Frame
      const name = channelName(stage, from, to)
      // Within a thread a frame is received as it is sent.
      if (this.#isLocal(name)) this.tasks.get(taskName(stage + 1, to))?.inputs[from]?.pending.push(full)
      else this.#channels.get(name)?.wire.push(full)
    }
  }
}
