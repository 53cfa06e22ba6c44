import type { RemoteLog, TopicPartition } from '../../../connectors/broker/remote.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { checkPositions, type Positions, type Waits, wayTo } from '../../query/index.ts'
import { repartitionTopic } from '../topics/names.ts'

/** Between two looks, ms. */
const firstPause = 5
const longestPause = 100

interface Wanted extends TopicPartition {
  /** The position after it. */
  readonly offset: number
}

/**
 * Waits until records of inputs, and all that they caused in a store, are committed: by whatever instance, as the group's
 * offsets tell. What a commit has sent on lies in repartition topics before their ends when it can be seen; so the waiting
 * goes from sub-topology to sub-topology, to where the topics between them ended when the one before was through.
 */
export class AppliedOnLog implements Waits {
  private readonly app: string
  private readonly plan: PhysicalPlan
  private readonly log: RemoteLog
  private readonly partitionsOf: (topic: string) => number
  private readonly ending = new AbortController()

  constructor(app: string, plan: PhysicalPlan, log: RemoteLog, partitionsOf: (topic: string) => number) {
    this.app = app
    this.plan = plan
    this.log = log
    this.partitionsOf = partitionsOf
  }

  async wait(wanted: Positions, sub: number, signal: AbortSignal | undefined): Promise<void> {
    await this.check(wanted)
    const either = signal === undefined ? this.ending.signal : AbortSignal.any([signal, this.ending.signal])
    const inputs = Object.entries(wanted).flatMap(([topic, partitions]) =>
      Object.entries(partitions).map(([partition, offset]) => ({
        topic,
        partition: Number(partition),
        offset: offset + 1,
      })),
    )
    await this.reached(inputs, either)
    for (const stage of wayTo(this.plan, sub)) await this.reached(await this.endsBefore(stage), either)
  }

  end(error: unknown): void {
    this.ending.abort(error)
  }

  /** A topic may have got more partitions since this instance looked. */
  private async check(wanted: Positions): Promise<void> {
    const counts = new Map(Object.keys(wanted).map((topic) => [topic, this.partitionsOf(topic)]))
    const more = Object.entries(wanted)
      .filter(([topic, positions]) => Object.keys(positions).some((p) => Number(p) >= (counts.get(topic) as number)))
      .map(([topic]) => topic)
    for (const { name, partitions } of more.length === 0 ? [] : await this.log.describe(more))
      counts.set(name, partitions)
    checkPositions(this.plan, wanted, (topic) => counts.get(topic) || undefined)
  }

  private async reached(wanted: readonly Wanted[], signal: AbortSignal): Promise<void> {
    let open = wanted
    for (let pause = firstPause; ; pause = Math.min(longestPause, pause * 2)) {
      signal.throwIfAborted()
      if (open.length === 0) return
      const at = await this.log.groupOffsets(this.app, open)
      open = open.filter(({ offset }, i) => (at[i] ?? 0) < offset)
      if (open.length > 0) await paused(pause, signal)
    }
  }

  /** Ends of the topics that a sub-topology's tasks read from others: of all that was sent, open transactions included. */
  private async endsBefore(sub: number): Promise<Wanted[]> {
    const topics = this.plan.steps.flatMap((step) =>
      step.sub === sub && step.op.kind === 'repartitionRead' ? [repartitionTopic(this.app, step.op.repartition)] : [],
    )
    const all = [...new Set(topics)].flatMap((topic) =>
      Array.from({ length: this.partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
    )
    const ends = await this.log.offsets(all, 'latest', true)
    return all.map((one, i) => ({ ...one, offset: ends[i] as number })).filter(({ offset }) => offset > 0)
  }
}

function paused(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
