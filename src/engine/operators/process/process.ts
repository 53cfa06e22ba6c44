import type { ForwardOptions, Processor } from '../../../dsl/process/types.ts'
import { toMs } from '../../../dsl/time/index.ts'
import type { UserFn } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { encodeHeaders } from '../../../connectors/broker/record-headers.ts'
import type { CurrentRecord } from '../../runtime/record.ts'
import type { TaskClock } from '../../time/clock.ts'
import { type Emit, noEmit } from '../operator.ts'
import type { ProcessServices } from './process-services.ts'
import { stateContext } from './state-context.ts'
import { KeyTimers } from './timers.ts'

type AnyProcessor = Processor<unknown, unknown>

/** A user's own processor: stores, timers, punctuators, `forward`. */
export class Process {
  readonly stepId: number
  out: Emit = noEmit
  private readonly processor: AnyProcessor
  private readonly rec: CurrentRecord
  private readonly services: ProcessServices
  private readonly valuesOnly: boolean
  /** Key at hand, for `processValues`. */
  private key: unknown = undefined

  constructor(stepId: number, supplier: UserFn, valuesOnly: boolean, services: ProcessServices) {
    this.stepId = stepId
    this.rec = services.rec
    this.services = services
    this.valuesOnly = valuesOnly
    const onTimer = (key: unknown, at: number, name: string | undefined) => this.onTimer(key, at, name)
    const event = new KeyTimers(stepId, services.eventTimers, onTimer, (at) => services.clock.notice(at))
    const wall = new KeyTimers(stepId, services.wallTimers, onTimer, (at) => services.wall.notice(at))
    this.processor = supplier(this.context(event, wall)) as AnyProcessor
    services.clock.add(event)
    services.wall.add(wall)
  }

  process(value: unknown, key: unknown, ts: number): void {
    this.rec.ts = ts
    this.key = key
    this.processor.process(value, key, this.rec)
  }

  end(): void {
    this.services.guarded(this.stepId, () => this.processor.end?.())
  }

  close(): void {
    this.processor.close?.()
  }

  private onTimer(key: unknown, at: number, name: string | undefined): void {
    this.rec.none()
    this.rec.ts = at
    this.key = key
    this.services.guarded(this.stepId, () => this.processor.onTimer?.(key as never, at, name))
  }

  private forward(value: unknown, key: unknown, opts: ForwardOptions | undefined): void {
    const { rec } = this
    const { ts, own } = rec
    if (opts?.timestamp !== undefined) needTime(opts.timestamp, 'forward')
    if (opts?.headers !== undefined) rec.own = encodeHeaders(opts.headers) ?? []
    this.out(key, value, opts?.timestamp ?? ts)
    rec.ts = ts
    rec.own = own
    this.key = key
  }

  private context(event: KeyTimers, wall: KeyTimers): object {
    const { services, stepId } = this
    const { clock } = services
    const timersOf = (kind: 'event' | 'wall' | undefined) => (kind === 'wall' ? wall : event)
    return Object.assign(stateContext(services), {
      forward: this.valuesOnly
        ? (value: unknown, opts?: ForwardOptions) => this.forward(value, this.key, opts)
        : (value: unknown, key: unknown, opts?: ForwardOptions) => this.forward(value, key, opts),
      schedule: (interval: number | string, kind: 'stream' | 'wall', fn: (at: number) => void) => {
        const act = (at: number) => {
          this.rec.none()
          this.rec.ts = at
          services.guarded(stepId, () => fn(at))
        }
        const every = toMs(interval as never, 'schedule interval', 1)
        return kind === 'wall' ? services.wall.every(stepId, every, act) : new Punctuator(stepId, every, act, clock)
      },
      timers: {
        set: (key: unknown, at: number, opts?: { name?: string; clock?: 'event' | 'wall' }) =>
          timersOf(opts?.clock).set(key, needTime(at, 'timers.set'), opts?.name),
        get: (key: unknown, name?: string) => event.get(key, name) ?? wall.get(key, name),
        delete: (key: unknown, name?: string) => {
          event.delete(key, name)
          wall.delete(key, name)
        },
      },
    })
  }
}

function needTime(at: unknown, what: string): number {
  if (Number.isInteger(at) && (at as number) >= 0) return at as number
  throw new DhaaraError(
    'DHAARA_TIMESTAMP',
    `${what}: found ${String(at)}, expected epoch milliseconds: an integer from 0`,
  )
}

/** Runs each interval of event time: at every multiple of it that W passes. One call however far W went, as in Kafka Streams. */
class Punctuator implements Disposable {
  readonly stepId: number
  private at = Number.NaN
  private readonly interval: number
  private readonly act: (at: number) => void
  private readonly clock: TaskClock
  private active = true

  constructor(stepId: number, interval: number, act: (at: number) => void, clock: TaskClock) {
    this.stepId = stepId
    this.interval = interval
    this.act = act
    this.clock = clock
    clock.add(this)
  }

  nextAt(): number {
    if (!this.active || this.clock.ended) return Number.POSITIVE_INFINITY
    if (Number.isNaN(this.at) && this.clock.target > Number.NEGATIVE_INFINITY)
      this.at = (Math.floor(this.clock.target / this.interval) + 1) * this.interval
    return Number.isNaN(this.at) ? Number.POSITIVE_INFINITY : this.at
  }

  fire(at: number): void {
    this.at = (Math.floor(this.clock.target / this.interval) + 1) * this.interval
    this.act(at)
  }

  [Symbol.dispose](): void {
    this.active = false
  }
}
