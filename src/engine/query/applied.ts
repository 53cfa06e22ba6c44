import { DhaaraError } from '../../errors/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import type { QueryOptions } from './types.ts'

/** How far the flows into a task from other tasks had come when an epoch was sealed: of each, records that came, and were done. */
export interface TaskFlows {
  readonly task: string
  readonly sub: number
  readonly arrived: readonly number[]
  readonly consumed: readonly number[]
}

/** What a commit says of how far things are. */
export interface Progress {
  readonly epoch: number
  readonly positions: readonly (readonly [topic: string, partition: number, offset: number])[]
  readonly flows: readonly TaskFlows[]
}

/** Waits for positions of inputs. */
export interface Waits {
  /** @throws DhaaraError DHAARA_QUERY: there is no such position; what the signal is aborted with */
  wait(wanted: Positions, sub: number, signal: AbortSignal | undefined): Promise<void>
  /** No commit will come. */
  end(error: unknown): void
}

export type Positions = NonNullable<QueryOptions['minPosition']>

/** A stage: until all that had arrived in a sub-topology at some epoch is done. */
interface Stage {
  readonly sub: number
  /** The first epoch whose arrivals are meant. */
  readonly from: number
  arrived: ReadonlyMap<string, readonly number[]> | undefined
}

interface Waiter {
  readonly wanted: Positions
  /** Sub-topologies on the way from the inputs to the store, those behind a change of key, in the direction of the flow. */
  readonly way: readonly number[]
  readonly done: PromiseWithResolvers<void>
  stage: Stage | undefined
  passed: number
}

/**
 * Waits until records of inputs, and all that they caused in a store, are committed.
 *
 * A commit that has processed an input's offset has sent on what it caused; behind a change of key that is done later. So the
 * waiting goes from sub-topology to sub-topology: what has arrived there by then has to be done before a commit that counts. Between
 * threads, what was sent with epoch e has arrived for certain in tasks that seal epoch e + `lag`.
 */
export class Applied implements Waits {
  private readonly plan: PhysicalPlan
  private readonly lag: number
  private readonly nudge: () => void
  private readonly partitionsOf: (topic: string) => number | undefined
  private readonly at = new Map<string, number>()
  private readonly waiters = new Set<Waiter>()
  private last: Progress | undefined

  /** @param lag 0 where all tasks share a thread, 2 between threads @param nudge asks for another epoch, though nothing changed */
  constructor(plan: PhysicalPlan, lag: number, nudge: () => void, partitionsOf: (topic: string) => number | undefined) {
    this.plan = plan
    this.lag = lag
    this.nudge = nudge
    this.partitionsOf = partitionsOf
  }

  /** @throws DhaaraError DHAARA_QUERY: there is no such position; what the signal is aborted with */
  async wait(wanted: Positions, sub: number, signal: AbortSignal | undefined): Promise<void> {
    checkPositions(this.plan, wanted, this.partitionsOf)
    signal?.throwIfAborted()
    const waiter: Waiter = {
      wanted,
      way: wayTo(this.plan, sub),
      done: Promise.withResolvers(),
      stage: undefined,
      passed: -1,
    }
    const abort = (): void => waiter.done.reject(signal?.reason)
    signal?.addEventListener('abort', abort)
    this.waiters.add(waiter)
    try {
      if (this.last !== undefined && this.settle(waiter, this.last)) return
      this.nudge()
      await waiter.done.promise
    } finally {
      this.waiters.delete(waiter)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Told of each commit, in their order. */
  committed(progress: Progress): void {
    this.last = progress
    for (const [name, offset] of lowest(progress)) this.at.set(name, offset)
    for (const waiter of this.waiters) if (this.settle(waiter, progress)) waiter.done.resolve()
    if (this.waiters.size > 0) this.nudge()
  }

  /** Tasks begin anew with what is committed: flows are counted from the start. */
  begunAnew(): void {
    this.last = undefined
    for (const waiter of this.waiters) {
      waiter.stage = undefined
      waiter.passed = -1
    }
  }

  /** No commit will come. */
  end(error: unknown): void {
    for (const waiter of this.waiters) waiter.done.reject(error)
  }

  private settle(waiter: Waiter, progress: Progress): boolean {
    const { wanted, way } = waiter
    if (waiter.passed < 0) {
      for (const [topic, partitions] of Object.entries(wanted))
        for (const [partition, offset] of Object.entries(partitions))
          if ((this.at.get(`${topic}/${partition}`) ?? 0) <= offset) return false
      waiter.passed = 0
    }
    while (waiter.passed < way.length) {
      const sub = way[waiter.passed] as number
      waiter.stage ??= { sub, from: progress.epoch + this.lag, arrived: undefined }
      const { stage } = waiter
      if (progress.epoch < stage.from) return false
      stage.arrived ??= new Map(
        progress.flows.filter((flows) => flows.sub === sub).map(({ task, arrived }) => [task, arrived]),
      )
      for (const { task, consumed } of progress.flows) {
        const arrived = stage.arrived.get(task)
        if (arrived?.some((n, i) => (consumed[i] as number) < n)) return false
      }
      waiter.stage = undefined
      waiter.passed++
    }
    return true
  }
}

/**
 * @param partitionsOf undefined: nobody knows
 * @throws DhaaraError DHAARA_QUERY: there is no such input, it has no such partition, or that is no offset
 */
export function checkPositions(
  plan: PhysicalPlan,
  wanted: Positions,
  partitionsOf: (topic: string) => number | undefined,
): void {
  const sources = plan.logical.nodes.flatMap((node) => (node.kind === 'source' ? [node.topics] : []))
  for (const [topic, positions] of Object.entries(wanted)) {
    if (!sources.some((topics) => (topics instanceof RegExp ? topics.test(topic) : topics.includes(topic)))) {
      const known = sources.flatMap((topics) => (topics instanceof RegExp ? [String(topics)] : topics)).join(', ')
      throw refused(`'${topic}', which is no input; inputs are: ${known}`)
    }
    const count = partitionsOf(topic)
    for (const [partition, offset] of Object.entries(positions)) {
      if (!/^(0|[1-9]\d*)$/.test(partition) || Number(partition) >= (count ?? Number.POSITIVE_INFINITY))
        throw refused(`partition ${partition} of '${topic}', which has ${count ?? 'none by that name'}`)
      if (!Number.isSafeInteger(offset) || offset < 0)
        throw refused(
          `the offset ${String(offset)} of '${topic}', partition ${partition}; expected a whole number from 0`,
        )
    }
  }
}

const refused = (what: string): DhaaraError => new DhaaraError('DHAARA_QUERY', `minPosition names ${what}`)

/** A partition that several tasks read was read as far as the slowest has. */
function lowest({ positions }: Progress): Map<string, number> {
  const found = new Map<string, number>()
  for (const [topic, partition, offset] of positions) {
    const name = `${topic}/${partition}`
    found.set(name, Math.min(offset, found.get(name) ?? offset))
  }
  return found
}

/** Sub-topologies with flows from others, of those that a store depends on, and its own; senders before receivers. */
export function wayTo(plan: PhysicalPlan, sub: number): number[] {
  const way: number[] = []
  const seen = new Set<number>()
  const visit = (at: number): void => {
    if (seen.has(at)) return
    seen.add(at)
    const reads = plan.steps.flatMap((step) =>
      step.sub === at && step.op.kind === 'repartitionRead' ? [step.op.repartition.id] : [],
    )
    for (const step of plan.steps)
      if (step.op.kind === 'repartitionWrite' && reads.includes(step.op.repartition.id)) visit(step.sub)
    if (reads.length > 0) way.push(at)
  }
  visit(sub)
  return way
}
