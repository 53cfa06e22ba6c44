import { type Aggregate, Store } from './store.ts'
import type { ControlFrame, Frame, Output, RecordFrame, Setup, SourceRecord, TaskCut } from './types.ts'

export const WINDOW = 10

/** An input channel as the consumer sees it. */
export interface Input {
  applied: number
  watermark: number
  idle: boolean
  /** Received, not applied: held back by the barrier, by the merge of inputs, or by the scheduler. */
  pending: Frame[]
  /** The last epoch whose marker came. */
  marker: number
  /** Sealed epochs whose marker has not come. */
  captures: Map<number, RecordFrame[]>
}

export type Send = (to: number, frame: Omit<RecordFrame, 'generation' | 'epoch'> | TimeFrame) => void
type TimeFrame = Omit<ControlFrame, 'generation' | 'epoch'>

/** The consumer partition of a key. */
export const route = (key: string, partitions: number): number => key.charCodeAt(0) % partitions

/** The key under which a stage's record goes on: the last repartition merges keys. */
export const nextKey = (stage: number, key: string): string =>
  stage === 0 ? key : key.charCodeAt(0) % 2 === 0 ? 'even' : 'odd'

/** Counts per key (an output per record) and per tumbling window (an output when it closes), and sends each record on. */
export class Task {
  readonly name: string
  readonly store: Store
  readonly inputs: Input[]
  outputs: Output[] = []
  position: number
  sent: number[]
  watermark: number
  /** What was last said about time in each channel; null = nothing since the start. */
  #announced: ({ watermark: number; idle: boolean } | null)[]
  #sourceIdle: boolean
  readonly #stage: number
  readonly #setup: Setup
  readonly #source: readonly SourceRecord[]
  readonly #send: Send

  constructor(stage: number, partition: number, setup: Setup, cut: TaskCut, stored: Map<string, string>, send: Send) {
    this.name = `${stage}.${partition}`
    this.#stage = stage
    this.#setup = setup
    this.#source = stage === 0 ? (setup.sources[partition] ?? []) : []
    this.#send = send
    this.store = new Store(stored, setup.mutant)
    this.position = cut.position
    this.watermark = cut.watermark
    this.sent = [...cut.sent]
    this.#sourceIdle = stage === 0 && cut.idle
    const fresh = setup.mutant === 'noReannounce' && cut.watermark !== Number.NEGATIVE_INFINITY
    this.#announced = cut.sent.map(() => (fresh ? { watermark: cut.watermark, idle: cut.idle } : null))
    this.inputs = cut.inputs.map(({ applied, watermark, idle, inFlight }) => ({
      applied,
      watermark,
      idle,
      pending: [...inFlight],
      marker: 0,
      captures: new Map(),
    }))
  }

  get idle(): boolean {
    return this.#stage === 0 ? this.#sourceIdle : this.inputs.every((input) => input.idle)
  }

  get paused(): boolean {
    return this.store.unwritten >= this.#setup.budget
  }

  get canRead(): boolean {
    return this.#stage === 0 && this.watermark !== Number.POSITIVE_INFINITY
  }

  /** One record of the source, or its end. */
  read(): void {
    const record = this.#source[this.position]
    this.#sourceIdle = false
    if (record) {
      this.position++
      this.#process(record)
    }
    this.#advance(record ? record.ts - 1 : Number.POSITIVE_INFINITY)
  }

  /** The source has been silent for long: a decision of the wall clock. */
  fallIdle(): void {
    this.#sourceIdle = true
  }

  apply(frame: Frame, input: Input): void {
    if (frame.kind === 'marker') return
    input.watermark = Math.max(input.watermark, frame.watermark)
    input.idle = frame.kind === 'control' && frame.idle
    const live = this.inputs.filter((each) => !each.idle)
    const low = Math.min(...live.map((each) => each.watermark))
    // All that is awake has ended: what is idle may still wake, so that this is not the end of time.
    const open = live.length < this.inputs.length && low === Number.POSITIVE_INFINITY
    if (!open || (this.#setup.mutant === 'endIgnoresIdle' && live.length > 0)) this.#advance(low)
    if (frame.kind === 'control') return
    input.applied = frame.seq
    this.#process(frame)
  }

  /** Says in each channel what has changed about time since it was last said there. */
  announce(): void {
    if (this.#stage === this.#setup.stages - 1) return
    const { watermark, idle } = this
    this.#announced.forEach((last, to) => {
      if (last?.watermark === watermark && last.idle === idle) return
      this.#announced[to] = { watermark, idle }
      this.#send(to, { kind: 'control', watermark, idle })
    })
  }

  #process({ ts, key, id }: SourceRecord): void {
    const task = this.name
    const start = Math.floor(ts / WINDOW) * WINDOW
    const n = this.#add(`count|${key}`, id)
    this.outputs.push({ kind: 'update', task, key, id, n })
    if (start + WINDOW - 1 <= this.watermark) this.outputs.push({ kind: 'late', task, key, id, start })
    else this.#add(`window|${String(start).padStart(4, '0')}|${key}`, id)
    if (this.#stage === this.#setup.stages - 1) return
    const next = nextKey(this.#stage, key)
    const to = route(next, this.#setup.partitions)
    const seq = (this.sent[to] ?? 0) + 1
    this.sent[to] = seq
    // A record says for itself that its producer is awake; a watermark said before it stays said.
    const last = this.#announced[to]
    this.#announced[to] = {
      watermark: Math.max(last?.watermark ?? Number.NEGATIVE_INFINITY, this.watermark),
      idle: false,
    }
    this.#send(to, { kind: 'record', seq, watermark: this.watermark, ts, key: next, id })
  }

  #add(key: string, id: number): number {
    const aggregate: Aggregate = this.store.get(key) ?? { ids: [] }
    aggregate.ids.push(id)
    this.store.set(key, aggregate)
    return aggregate.ids.length
  }

  /** Time moves, and what closes with it closes before anything else happens. */
  #advance(watermark: number): void {
    if (watermark <= this.watermark) return
    this.watermark = watermark
    for (const name of this.store.keys('window|')) {
      const [, start, key] = name.split('|')
      if (Number(start) + WINDOW - 1 > watermark) break
      const ids = this.store.get(name)?.ids ?? []
      this.outputs.push({ kind: 'close', task: this.name, key: key ?? '', start: Number(start), ids: [...ids] })
      this.store.set(name, null)
    }
  }
}
