import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import type { RawRecord } from '../../../dsl/records.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { rawAt } from '../../runtime/failures/dead-letter.ts'
import type { SourceRecord } from '../../runtime/record.ts'
import { topicsOf } from '../../runtime/inputs/topics.ts'
import { SourceOffsets } from './source-offsets.ts'
import type { Bounds, EndingSources, TopicSlot } from './worker-protocol.ts'

/** The topics that workers read, as their owner sees them: how far they reach, how far they were read, where they end. */
export class WorkerInputs {
  slots: readonly TopicSlot[] = []
  memory!: SharedArrayBuffer
  offsets!: SourceOffsets
  /** Where sources begin that want the latest records alone: where their topics ended at the start. */
  readonly latest: Bounds
  private readonly plan: PhysicalPlan
  private readonly lease: EmbeddedLease
  private readonly ends = new Map<string, Bounds>()
  /** Sources of the user's own that are to end. */
  endingSources: EndingSources = []

  /** Makes the topics that are not there. */
  constructor(plan: PhysicalPlan, lease: EmbeddedLease) {
    this.plan = plan
    this.lease = lease
    this.renew(lease.log.topics().map(({ name }) => name))
    this.latest = this.slots.flatMap((slot) => this.endsOf(slot))
  }

  /** In memory of its own: workers go on with what they have until they are restored. @param existing topics that sources by pattern may read */
  renew(existing: readonly string[]): void {
    const { plan, lease } = this
    const topics = new Set(
      plan.logical.nodes.flatMap((node) => (node.kind === 'source' ? topicsOf(node, existing) : [])),
    )
    let base = 0
    this.slots = [...topics].map((name) => {
      const { partitions } = lease.ensureTopic(name)
      const slot = { name, partitions, base }
      base += partitions
      return slot
    })
    this.memory = SourceOffsets.memory(this.slots)
    this.offsets = new SourceOffsets(this.memory, this.slots)
    for (const { name, partitions } of this.slots) {
      for (let p = 0; p < partitions; p++) this.offsets.setEnd(name, p, lease.log.endOffset(name, p))
    }
  }

  /** A record as it lies in the log; undefined: it is gone. */
  record({ topic, partition, offset }: SourceRecord): RawRecord | undefined {
    if (this.lease.log.topic(topic) === undefined) return undefined
    const batch = this.lease.log.fetch(topic, partition, offset, 1)
    const at = batch?.offsets.subarray(0, batch.count).indexOf(offset) ?? -1
    return batch === undefined || at < 0 ? undefined : rawAt(batch, at)
  }

  /** Where bounded inputs end. */
  get bounds(): Bounds {
    return [...this.ends.values()].flat()
  }

  /** These topics (default: all) end where they end now. Those that have an end keep it. */
  bound(topics?: readonly string[]): void {
    if (topics === undefined) this.endingSources = 'all'
    else if (this.endingSources !== 'all') this.endingSources = [...this.endingSources, ...topics]
    for (const { name, partitions } of this.slots) {
      if (this.ends.has(name) || (topics !== undefined && !topics.includes(name))) continue
      this.ends.set(name, this.endsOf({ name, partitions }))
    }
  }

  private endsOf({ name, partitions }: Pick<TopicSlot, 'name' | 'partitions'>): Bounds {
    return Array.from({ length: partitions }, (_, p) => [name, p, this.lease.log.endOffset(name, p)] as const)
  }
}
