import type { Appended } from '../../../connectors/broker/log.ts'
import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import type { Logger } from '../settings/logger.ts'
import { sourcePartitions } from './source-partitions.ts'

/**
 * Topics that get their first records while an app runs whose sources read them by a pattern. Tasks are made anew for them
 * between two epochs; a topic that would change the number of tasks is left alone, since state lies by partitions.
 */
export class NewTopics {
  private readonly patterns: readonly RegExp[]
  private readonly known: Set<string>
  private readonly refused = new Set<string>()
  private readonly lease: EmbeddedLease
  private readonly plan: PhysicalPlan
  private readonly partitions: readonly number[]
  private readonly logger: Logger

  /** @param partitions of each sub-topology */
  constructor(plan: PhysicalPlan, lease: EmbeddedLease, partitions: readonly number[], logger: Logger) {
    this.plan = plan
    this.lease = lease
    this.partitions = partitions
    this.logger = logger
    this.patterns = plan.logical.nodes.flatMap((node) =>
      node.kind === 'source' && node.topics instanceof RegExp ? [node.topics] : [],
    )
    this.known = new Set(lease.log.topics().map(({ name }) => name))
  }

  /** Is there one that tasks are to read from now on? */
  among(appended: readonly Appended[]): boolean {
    if (this.patterns.length === 0) return false
    let found = false
    for (const { topic } of appended) {
      if (this.known.has(topic)) continue
      this.known.add(topic)
      if (this.patterns.some((pattern) => pattern.test(topic)) && this.fits(topic)) found = true
    }
    return found
  }

  /** Those that tasks may read, of all that there are. */
  get readable(): string[] {
    return this.lease.log.topics().flatMap(({ name }) => (this.refused.has(name) ? [] : [name]))
  }

  private fits(topic: string): boolean {
    const { plan, lease, partitions } = this
    let why: string
    try {
      const now = sourcePartitions(plan, lease, this.readable)
      if (now.every((count, sub) => count === partitions[sub])) {
        this.logger.info({ topic }, 'a source reads a new topic')
        return true
      }
      why = `with its ${lease.ensureTopic(topic).partitions} partitions there would be other tasks than those that run`
    } catch (error) {
      why = error instanceof Error ? error.message : String(error)
    }
    this.refused.add(topic)
    this.logger.error(
      { topic },
      `a source does not read the new topic '${topic}': ${why}; it is read when the app is started again`,
    )
    return false
  }
}
