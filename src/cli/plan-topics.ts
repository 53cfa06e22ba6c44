import type { AnySerde, LogicalPlan, SinkNode, SourceNode } from '../dsl/plan/index.ts'

/** How the keys and values of a topic lie in bytes; what is not known is told as text or JSON, whatever it is. */
export interface TopicSerdes {
  readonly key: AnySerde | undefined
  readonly value: AnySerde | undefined
}

/** The topics of a plan: who reads them, who writes them, and with which serdes. */
export class PlanTopics {
  readonly sources: readonly SourceNode[]
  private readonly sinks: readonly SinkNode[]

  constructor(plan: LogicalPlan) {
    this.sources = plan.nodes.filter((node) => node.kind === 'source')
    this.sinks = plan.nodes.filter((node) => node.kind === 'sink')
  }

  sourceOf(topic: string): SourceNode | undefined {
    return this.sources.find(({ topics }) => (topics instanceof RegExp ? topics.test(topic) : topics.includes(topic)))
  }

  /** Of sources that name them. */
  get inputs(): readonly string[] {
    return [...new Set(this.sources.flatMap(({ topics }) => (topics instanceof RegExp ? [] : topics)))]
  }

  /** Sources that read no topic. */
  get ownSources(): readonly string[] {
    return this.sources.flatMap(({ own, name }) => (own === undefined ? [] : [name]))
  }

  /** Of sinks that name them. */
  get outputs(): readonly string[] {
    return [...new Set(this.sinks.flatMap(({ topic }) => (typeof topic === 'string' ? [topic] : [])))]
  }

  /** Some sink chooses its topic for each record. */
  get choosesTopics(): boolean {
    return this.sinks.some(({ topic }) => typeof topic !== 'string')
  }

  /** Several where functions choose the topic: the first that can read a record is right. */
  serdesOf(topic: string): readonly TopicSerdes[] {
    const named = this.sinks.find((sink) => sink.topic === topic)
    const source = this.sourceOf(topic)
    const known = named ?? source
    if (known !== undefined) return [{ key: known.key, value: known.value }]
    return this.sinks.flatMap(({ topic: of, key, value }) => (typeof of === 'string' ? [] : [{ key, value }]))
  }
}
