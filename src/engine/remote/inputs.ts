import type { PositionedPartition, TopicPartition } from '../../connectors/broker/remote.ts'
import type { SourceNode } from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import type { TaskId } from '../runtime/host.ts'
import { topicsOf } from '../runtime/inputs/topics.ts'
import { isInternal } from './topics/names.ts'
import type { AppTopics } from './topics/app-topics.ts'

/** A partition that a task reads. */
export interface Input extends TopicPartition {
  /** Absent: a repartition's topic. */
  readonly source?: SourceNode
}

/** Which task reads which partitions. */
export class Inputs {
  readonly topics: AppTopics
  /** Topics that are not this app's own, in order. */
  readonly names: readonly string[]
  private readonly plan: PhysicalPlan

  constructor(app: string, plan: PhysicalPlan, topics: AppTopics) {
    this.plan = plan
    this.topics = topics
    this.names = [...topics.all.keys()].filter((name) => !isInternal(app, name)).sort()
  }

  /** Every task of the app. */
  get tasks(): TaskId[] {
    return this.plan.subs.flatMap(({ id: sub }) =>
      Array.from({ length: this.topics.partitions[sub] as number }, (_, partition) => ({ sub, partition })),
    )
  }

  of({ sub, partition }: TaskId): Input[] {
    const inputs: Input[] = []
    for (const { op } of this.plan.subs[sub]?.inputs ?? []) {
      if (op.kind !== 'source') continue
      for (const topic of topicsOf(op, this.names)) {
        const count = this.topics.all.get(topic)?.partitions ?? 0
        const mine = op.global ? Array.from({ length: count }, (_, p) => p) : partition < count ? [partition] : []
        for (const p of mine) inputs.push({ topic, partition: p, source: op })
      }
    }
    for (const { topic, sub: reader } of this.topics.repartitions) if (reader === sub) inputs.push({ topic, partition })
    return inputs
  }

  /** Topics that a source reads, of those that exist. */
  topicsOf(source: SourceNode): readonly string[] {
    return topicsOf(source, this.names)
  }

  /** Names of sources that are no topics. */
  get ownSources(): string[] {
    return this.plan.logical.nodes.flatMap((node) =>
      node.kind === 'source' && node.own !== undefined ? [node.name] : [],
    )
  }

  ofAll(tasks: readonly TaskId[]): Input[] {
    return distinct(tasks.flatMap((task) => this.of(task)))
  }

  /** Topics whose partitions are shared among the instances. */
  get subscribed(): string[] {
    const sources = this.plan.logical.nodes.flatMap((node) =>
      node.kind === 'source' ? topicsOf(node, this.names) : [],
    )
    return [...new Set([...sources, ...this.topics.repartitions.map(({ topic }) => topic)])]
  }

  isRepartition(topic: string): boolean {
    return this.topics.repartitions.some((one) => one.topic === topic)
  }

  /** Sub-topology that reads a repartition's topic. */
  readerOf(topic: string): number {
    return this.topics.repartitions.find((one) => one.topic === topic)?.sub ?? 0
  }

  /** @throws DhaaraError DHAARA_TOPIC_UNKNOWN */
  partitionsOf(topic: string): number {
    const found = this.topics.all.get(topic)
    if (found !== undefined) return found.partitions
    throw new DhaaraError(
      'DHAARA_TOPIC_UNKNOWN',
      `There was no topic '${topic}' when the app was started. Create it, or correct the name`,
    )
  }
}

/** Among the ends of inputs: this source, which is no topic, is to end where it is. */
export const ownEnd = (source: string): string => `own/${source}`

export const positionName = ({ topic, partition }: TopicPartition): string => `${partition}/${topic}`

/** Several tasks read the same partitions of a global table. */
export function distinct<P extends TopicPartition>(all: readonly P[]): P[] {
  return [...new Map(all.map((one) => [positionName(one), one])).values()]
}

export type Offsets = ReadonlyMap<string, number>

export const offsetsOf = (all: readonly PositionedPartition[]): Map<string, number> =>
  new Map(all.map((one) => [positionName(one), one.offset]))
