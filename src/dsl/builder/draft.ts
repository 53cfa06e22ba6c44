import { DhaaraError } from '../../errors/index.ts'
import type { PlanNode, StoreSpec } from '../plan/index.ts'
import type { KStream } from '../stream/types.ts'
import type { KTable } from '../table/types.ts'
import { Namer } from './names.ts'
import { callSite } from './site.ts'

/** The part of a node that every step has, worked out before the rest so that stores can be named after it. */
export interface Step {
  readonly id: number
  readonly name: string
  readonly named: boolean
  readonly inputs: readonly PlanNode[]
  readonly site: string | undefined
}

/** Makes the objects that users hold. Streams make tables and tables streams: given from outside, their files need not import one another. */
export interface HandleMakers {
  stream(draft: PlanDraft, node: PlanNode): KStream<any, any>
  table(draft: PlanDraft, node: PlanNode): KTable<any, any>
}

/** The plan as it grows: nodes in the order of the calls, each frozen as soon as it is made. */
export class PlanDraft {
  readonly nodes: PlanNode[] = []
  /** Of `addStateStore` and processors' handles. Two of one name are a problem that `build` reports. */
  readonly stores: StoreSpec[] = []
  private readonly makers: HandleMakers
  private readonly namer = new Namer()

  constructor(makers: HandleMakers) {
    this.makers = makers
  }

  /** A step that is named after its operation unless the user named it. Its node must be added before the next step begins. */
  step(operation: string, inputs: readonly PlanNode[], given: string | undefined): Step {
    return this.begin(inputs, given, () => this.namer.next(inputs, operation))
  }

  /** A source: its topic is its name. */
  source(name: string, given: string | undefined): Step {
    return this.begin([], given, () => this.namer.unique(name))
  }

  /** A branch has the name that the user gave it, below its split's. */
  branch(name: string, split: PlanNode): Step {
    const stem = split.named ? split.name : this.namer.anchorOf(split)
    return { ...this.begin([split], undefined, () => this.namer.unique(`${stem}-${name}`)), named: true }
  }

  add<N extends PlanNode>(node: N): N {
    for (const input of node.inputs) {
      if (this.nodes[input.id] === input) continue
      const message = `${node.name}: found an input (${input.name}) of another StreamsBuilder, expected one of this builder; build both with one`
      throw new DhaaraError('DHAARA_OPTION', message, { step: node.name })
    }
    Object.freeze(node.inputs)
    Object.freeze(node)
    this.nodes.push(node)
    this.namer.settle(node, node.kind === 'source')
    return node
  }

  addStore(spec: StoreSpec): void {
    if (!this.stores.includes(spec)) this.stores.push(spec)
  }

  stream(node: PlanNode): KStream<any, any> {
    return this.makers.stream(this, node)
  }

  table(node: PlanNode): KTable<any, any> {
    return this.makers.table(this, node)
  }

  private begin(inputs: readonly PlanNode[], given: string | undefined, derive: () => string): Step {
    const named = given !== undefined
    return { id: this.nodes.length, name: named ? given : derive(), named, inputs: [...inputs], site: callSite() }
  }
}
