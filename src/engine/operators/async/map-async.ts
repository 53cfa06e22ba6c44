import type { AsyncNode, UserFn } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { KeyValueTable } from '../../../state/stores/index.ts'
import { whereabouts } from '../../runtime/failures/errors.ts'
import { CurrentRecord } from '../../runtime/record.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import type { WallClock } from '../../time/wall.ts'
import { type Emit, noEmit } from '../operator.ts'
import { CircuitBreaker } from './breaker.ts'
import { AsyncGate } from './gate.ts'
import { batchOf, newRequest, recordOf, type Request, type StoredRequest, storedRequest } from './request.ts'
import type { Link } from '../../runtime/channels/channel.ts'

/** What an asynchronous step gets of its task. */
export interface AsyncServices {
  readonly clock: TaskClock
  readonly wall: WallClock
  readonly rec: CurrentRecord
  /** Requests in flight. */
  readonly table: KeyValueTable
  /** Before the task waits. */
  readonly maxInFlight: number
  /** Something has come back: the thread is to look. */
  readonly wake: () => void
  readonly random: () => number
  /** Hands an error to its policy. */
  readonly fail: (error: unknown, stepId: number) => void
  /** Of values that somebody may go on changing. */
  readonly copy: ((value: unknown) => unknown) | undefined
  /** User functions, wrapped. */
  readonly fn: UserFn
  readonly fallback: UserFn | undefined
}

/** Where its record lies. */
function placeOf(request: Request): string {
  const rec = new CurrentRecord()
  rec.batch = batchOf(request)
  rec.i = 0
  return whereabouts(rec)
}

interface Outcome {
  readonly request: Request
  readonly attempt: number
  readonly failed: boolean
  readonly value: unknown
}

/**
 * `mapAsync`: calls out, and goes on with the results when they come. A record that is in flight is a row of a store, so
 * that it is part of each checkpoint; after a restore all of them are asked again.
 *
 *     process ─▶ queue ─▶ call ─▶ settled ─▶ deliver ─▶ out
 *                  ▲        │ failed
 *                  └─ pause ◀          (promises only note what came: everything else happens between two batches)
 *
 * Results leave in the order of arrival of all records, of those of their key, or as they come. Behind the step is a
 * channel of its own task (as a repartition has), whose watermark stays behind the oldest record in flight: what comes
 * out is as late, or not, as it was when it came in.
 *
 * A circuit breaker that is open turns requests to the fallback; where there is none they wait for it.
 */
export class MapAsync implements Timed {
  readonly stepId: number
  out: Emit = noEmit
  private readonly name: string
  private readonly node: AsyncNode
  private readonly services: AsyncServices
  private readonly breaker: CircuitBreaker | undefined
  private readonly gates: AsyncGate[] = []
  /** By order of arrival. */
  private readonly inFlight = new Map<number, Request>()
  /** `ordered: 'key'`: those of each key, by order of arrival. */
  private readonly byKey = new Map<string | number, Request[]>()
  private queue: Request[] = []
  private settled: Outcome[] = []
  private calls = 0
  private next = 0
  private closed = false

  constructor(stepId: number, name: string, node: AsyncNode, services: AsyncServices) {
    this.stepId = stepId
    this.name = name
    this.node = node
    this.services = services
    this.breaker = node.breaker === undefined ? undefined : new CircuitBreaker(node.breaker)
    for (const { key, value } of services.table.scan()) this.admit(newRequest(key as number, value as StoredRequest))
    services.wall.add(this)
  }

  process(key: unknown, value: unknown, ts: number): void {
    this.take(key, value, ts)
  }

  private take(key: unknown, value: unknown, ts: number): void {
    const { clock, copy, rec, table } = this.services
    const kept = copy === undefined ? value : copy(value)
    const { source, topic, partition, offset } = rec
    const from = source === undefined ? null : ([source.topic, source.partition, source.offset] as const)
    const stored: StoredRequest = [key, kept, ts, clock.w, rec.rawHeaders ?? null, topic, partition, offset, from]
    const request = newRequest(this.next, stored)
    table.put(request.seq, storedRequest(request), ts)
    this.admit(request)
    this.pump()
  }

  private admit(request: Request): void {
    this.next = Math.max(this.next, request.seq + 1)
    this.inFlight.set(request.seq, request)
    this.queue.push(request)
    if (this.node.ordered !== 'key') return
    const id = this.keyId(request)
    const queue = this.byKey.get(id)
    if (queue === undefined) this.byKey.set(id, [request])
    else queue.push(request)
  }

  private keyId({ key }: Request): string | number {
    return key === null || key === undefined ? '\0null' : this.services.table.space.keys.id(key)
  }

  /** The end of the channel that the results go into. */
  gate(channel: Link): AsyncGate {
    const { services } = this
    const gate = new AsyncGate(
      channel,
      () => this.oldest?.w,
      () => this.inFlight.size < services.maxInFlight,
    )
    this.gates.push(gate)
    return gate
  }

  private get oldest(): Request | undefined {
    for (const request of this.inFlight.values()) return request
    return undefined
  }

  /** Calls that are running: what else is in flight waits for the clock. */
  get running(): number {
    return this.calls + this.settled.length
  }

  /** Works off what has come back. @returns whether anything has */
  deliver(): boolean {
    let moved = false
    do {
      const outcomes = this.settled
      this.settled = []
      for (const outcome of outcomes) if (this.receive(outcome)) moved = true
      this.pump()
    } while (this.settled.length > 0)
    return moved
  }

  private receive({ request, attempt, failed, value }: Outcome): boolean {
    if (request.phase !== 'running' || request.attempt !== attempt) return false
    this.calls--
    request.abort = undefined
    const now = this.services.wall.now()
    if (request.fallingBack) {
      if (failed) this.giveUp(request, value)
      else this.done(request, { value })
    } else if (failed) this.failed(request, value, now)
    else {
      this.breaker?.succeeded(now)
      this.done(request, { value })
    }
    return true
  }

  private failed(request: Request, error: unknown, now: number): void {
    const { retry } = this.node
    this.breaker?.failed(now)
    let again = retry !== undefined && request.attempt < retry.attempts
    let told = error
    try {
      if (again) again = retry?.when?.(error) ?? true
    } catch (thrown) {
      again = false
      told = thrown
    }
    if (retry === undefined || !again) {
      this.fallBack(request, this.errorOf(request, told))
      return
    }
    const pause = Math.min(retry.maxBackoff, retry.backoff * 2 ** (request.attempt - 1))
    request.phase = 'pausing'
    request.dueAt = now + (retry.jitter ? pause * (0.5 + this.services.random() / 2) : pause)
    this.services.wall.notice(request.dueAt)
  }

  private errorOf(request: Request, error: unknown): DhaaraError {
    const { attempt } = request
    if (error instanceof DhaaraError && error.step === this.name) return error
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const message = `step '${this.name}', ${placeOf(request)}: found a call that failed (attempt ${attempt}): ${text}; expected it to resolve`
    return new DhaaraError('DHAARA_ASYNC_FAILED', `${message}; give it retry or fallback`, {
      step: this.name,
      cause: error,
    })
  }

  private fallBack(request: Request, error: DhaaraError): void {
    const { fallback } = this.services
    if (fallback === undefined) {
      this.giveUp(request, error)
      return
    }
    request.phase = 'running'
    request.fallingBack = true
    request.attempt++
    request.dueAt = Number.POSITIVE_INFINITY
    this.calls++
    this.follow(request, () => fallback(error, request.value, request.key))
  }

  /** The policy says what becomes of it. */
  private giveUp(request: Request, error: unknown): void {
    const { rec, fail } = this.services
    rec.batch = batchOf(request)
    rec.i = 0
    rec.own = undefined
    rec.ts = request.ts
    fail(this.errorOf(request, error), this.stepId)
    this.done(request, undefined)
  }

  private done(request: Request, result: Request['result']): void {
    request.phase = 'done'
    request.result = result
    const { ordered } = this.node
    if (ordered === false) {
      this.leave(request)
      return
    }
    if (ordered === 'all') {
      for (let first = this.oldest; first?.phase === 'done'; first = this.oldest) this.leave(first)
      return
    }
    const id = this.keyId(request)
    const queue = this.byKey.get(id) as Request[]
    while (queue[0]?.phase === 'done') this.leave(queue.shift() as Request)
    if (queue.length === 0) this.byKey.delete(id)
  }

  private leave(request: Request): void {
    const { rec, table } = this.services
    const w = (this.oldest as Request).w
    this.inFlight.delete(request.seq)
    table.set(table.load(request.seq), undefined, request.ts)
    if (request.result === undefined) return
    for (const gate of this.gates) gate.w = w
    rec.answered(request.headers, request.place, request.origin)
    this.out(request.key, request.result.value, request.ts)
    rec.none()
  }

  /** Makes the calls that may be made. */
  private pump(): void {
    const { breaker } = this
    let i = 0
    for (; i < this.queue.length && this.calls < this.node.concurrency; i++) {
      const request = this.queue[i] as Request
      const now = this.services.wall.now()
      if (breaker === undefined || breaker.allows(now)) this.call(request, now)
      else if (this.services.fallback !== undefined) this.fallBack(request, this.refusal())
      else {
        this.services.wall.notice(breaker.until)
        break
      }
    }
    if (i > 0) this.queue.splice(0, i)
  }

  private refusal(): DhaaraError {
    const message = `step '${this.name}': the circuit breaker is open, since too many calls have failed`
    return new DhaaraError('DHAARA_BREAKER_OPEN', message, { step: this.name })
  }

  private call(request: Request, now: number): void {
    const { fn, wall } = this.services
    const { timeout } = this.node
    const abort = new AbortController()
    request.phase = 'running'
    request.attempt++
    request.abort = abort
    request.dueAt = timeout === undefined ? Number.POSITIVE_INFINITY : now + timeout
    this.calls++
    this.breaker?.called()
    if (timeout !== undefined) wall.notice(request.dueAt)
    const { attempt } = request
    this.follow(request, () =>
      fn(request.value, request.key, { record: recordOf(request), attempt, signal: abort.signal }),
    )
  }

  /** Notes what comes of a call, and nothing else: no step runs in a promise's callback. */
  private follow(request: Request, act: () => unknown): void {
    const { attempt } = request
    const settle = (failed: boolean, value: unknown): void => {
      if (this.closed) return
      this.settled.push({ request, attempt, failed, value })
      this.services.wake()
    }
    let promise: unknown
    try {
      promise = act()
    } catch (error) {
      settle(true, error)
      return
    }
    Promise.resolve(promise).then(
      (value) => settle(false, value),
      (error: unknown) => settle(true, error),
    )
  }

  nextAt(): number {
    let at = Number.POSITIVE_INFINITY
    for (const { phase, dueAt } of this.inFlight.values()) {
      if ((phase === 'running' || phase === 'pausing') && dueAt < at) at = dueAt
    }
    if (this.breaker?.state === 'open' && this.queue.length > 0) at = Math.min(at, this.breaker.until)
    return at
  }

  /** Timeouts, and pauses that are over. */
  fire(at: number): void {
    const again: Request[] = []
    for (const request of this.inFlight.values()) {
      if (request.dueAt > at) continue
      if (request.phase === 'running') this.timeOut(request)
      else if (request.phase === 'pausing') {
        request.phase = 'waiting'
        again.push(request)
      }
      request.dueAt = Number.POSITIVE_INFINITY
    }
    this.queue = [...again, ...this.queue]
    this.deliver()
  }

  private timeOut(request: Request): void {
    const { attempt } = request
    const message = `step '${this.name}', ${placeOf(request)}: found no answer (attempt ${attempt}), expected one within ${this.node.timeout} ms`
    const error = new DhaaraError('DHAARA_ASYNC_TIMEOUT', `${message}; raise timeout, or give it retry or fallback`, {
      step: this.name,
    })
    request.abort?.abort(error)
    this.settled.push({ request, attempt, failed: true, value: error })
  }

  /** What comes back from now on comes to nobody. */
  close(): void {
    this.closed = true
    for (const { abort } of this.inFlight.values()) abort?.abort()
  }
}
