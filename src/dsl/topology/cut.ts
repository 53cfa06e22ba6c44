/**
 * The logical plan cut into sub-topologies, to be printed: a keyed step whose input has changed its key reads it through a
 * repartition topic, and the graph falls apart there. The compiler decides for itself; this is what it starts from.
 */
import type { LogicalPlan, PlanNode } from '../plan/index.ts'
import { ownStores } from '../plan/own-stores.ts'
import type { NodeView, SubTopologyView } from './view.ts'

/** Steps that need all records of a key in one task. */
const keyed = new Set<PlanNode['kind']>([
  'aggregate',
  'toTable',
  'tableAggregate',
  'tableJoin',
  'foreignJoin',
  'streamTableJoin',
  'streamJoin',
  'process',
  'transformValues',
  'deduplicate',
  'match',
])
const rekeys = (node: PlanNode): boolean =>
  node.kind === 'selectKey' ||
  node.kind === 'map' ||
  node.kind === 'flatMap' ||
  node.kind === 'tableGroup' ||
  (node.kind === 'process' && !node.valuesOnly)

interface Drawn {
  readonly type: NodeView['type']
  readonly name: string
  readonly inputs: readonly Drawn[]
  readonly stores: readonly string[]
  readonly topics: readonly string[]
  readonly global: boolean
  readonly own?: string
}

/** A topic of the topology's own, through which records go where their new keys belong. */
export interface RepartitionView {
  readonly name: string
  /** Absent: as many as what writes it. */
  readonly partitions?: number
}

class Drawing {
  readonly drawn: Drawn[] = []
  readonly repartitions: RepartitionView[] = []
  private readonly ends = new Map<PlanNode, Drawn>()
  private readonly moved = new Set<Drawn>()
  private readonly gathered = new Map<Drawn, Drawn>()

  add(node: PlanNode): void {
    this.ends.set(node, this.draw(node))
  }

  private draw(node: PlanNode): Drawn {
    if (node.kind === 'source') return this.source(node)
    const inputs = node.inputs.map((input) => this.ends.get(input) as Drawn).filter((input) => !input.global)
    if (node.kind === 'repartition') return this.repartition(inputs[0] as Drawn, node.name, node.named, node.partitions)
    const gathers = keyed.has(node.kind)
    const reader = ownStores(node)[0]?.name ?? node.name
    const from = gathers
      ? inputs.map((input, port) => this.gather(input, port === 0 ? reader : `${reader}-${port + 1}`))
      : inputs
    const type = node.kind === 'sink' || node.kind === 'deliver' ? 'sink' : 'processor'
    const own = node.kind === 'deliver' ? { own: node.own.connector } : {}
    const topics = node.kind === 'sink' && typeof node.topic === 'string' ? [node.topic] : []
    const end = this.put({ type, name: node.name, inputs: from, stores: storesOf(node), topics, global: false, ...own })
    if (rekeys(node) || (!gathers && inputs.some((input) => this.moved.has(input)))) this.moved.add(end)
    return end
  }

  /** A table's source is followed by the processor that keeps its rows, which has the step's name. */
  private source(node: PlanNode & { readonly kind: 'source' }): Drawn {
    const topics = node.topics instanceof RegExp ? [String(node.topics)] : node.topics
    const { name, global, store } = node
    const own = node.own === undefined ? {} : { own: node.own.connector }
    const base = { inputs: [], stores: [], topics, global, ...own }
    if (store === undefined) {
      const source = this.put({ ...base, type: 'source', name })
      if (node.own?.byKey === false) this.moved.add(source)
      return source
    }
    const source = this.put({ ...base, type: 'source', name: `${name}-source` })
    return this.put({ ...base, type: 'processor', name, inputs: [source], stores: [store.name], topics: [] })
  }

  /** One moved stream is repartitioned once, however many read it. */
  private gather(input: Drawn, reader: string): Drawn {
    if (!this.moved.has(input)) return input
    const found = this.gathered.get(input) ?? this.repartition(input, reader, false)
    this.gathered.set(input, found)
    return found
  }

  private repartition(input: Drawn, name: string, named: boolean, partitions?: number): Drawn {
    const topic = named ? name : `${name}-repartition`
    this.repartitions.push({ name: topic, ...(partitions === undefined ? {} : { partitions }) })
    const base = { stores: [], topics: [topic], global: false }
    this.put({ ...base, type: 'sink', name: `${topic}-sink`, inputs: [input] })
    return this.put({ ...base, type: 'source', name: `${topic}-source`, inputs: [] })
  }

  private put(drawn: Drawn): Drawn {
    this.drawn.push(drawn)
    return drawn
  }
}

function storesOf(node: PlanNode): readonly string[] {
  const own = ownStores(node).map((store) => store.name)
  if (node.kind === 'process' || node.kind === 'transformValues') return [...own, ...node.stores]
  if (node.kind === 'streamTableJoin') return ownStores(node.inputs[1] as PlanNode).map((store) => store.name)
  return own
}

/** In the order of the steps that read them. */
export function repartitionsOf(plan: LogicalPlan): readonly RepartitionView[] {
  const drawing = new Drawing()
  for (const node of plan.nodes) drawing.add(node)
  return drawing.repartitions
}

/** Steps that are connected, or share a store, are one sub-topology. */
export function cutForView(plan: LogicalPlan): readonly SubTopologyView[] {
  const drawing = new Drawing()
  for (const node of plan.nodes) drawing.add(node)
  const parts = new Parts(drawing.drawn)
  return parts.all().map((part, id) => ({ id, global: part.some((node) => node.global), nodes: part.map(view) }))

  function view(node: Drawn): NodeView {
    const { type, name, topics } = node
    const own = node.own === undefined ? {} : { own: node.own }
    const from = node.inputs.map((input) => input.name)
    const to = drawing.drawn.filter((other) => other.inputs.includes(node)).map((other) => other.name)
    if (type === 'source') return { type, name, topics, to, ...own }
    return type === 'sink'
      ? { type, name, topic: topics[0] ?? null, from, ...own }
      : { type, name, stores: node.stores, to, from }
  }
}

/** Union-find. */
class Parts {
  private readonly parent = new Map<Drawn, Drawn>()

  constructor(nodes: readonly Drawn[]) {
    const holders = new Map<string, Drawn>()
    for (const node of nodes) {
      this.parent.set(node, node)
      for (const input of node.inputs) this.join(input, node)
      if (node.global) continue
      for (const store of node.stores) {
        const holder = holders.get(store)
        if (holder === undefined) holders.set(store, node)
        else this.join(holder, node)
      }
    }
  }

  /** In the order of their first nodes. */
  all(): readonly (readonly Drawn[])[] {
    return [...Map.groupBy(this.parent.keys(), (node) => this.root(node)).values()]
  }

  private join(a: Drawn, b: Drawn): void {
    this.parent.set(this.root(b), this.root(a))
  }

  private root(node: Drawn): Drawn {
    let at = node
    for (let up = this.parent.get(at) as Drawn; up !== at; up = this.parent.get(at) as Drawn) at = up
    return at
  }
}
