import type {
  AggregateNode,
  AsyncNode,
  BroadcastNode,
  LogicalPlan,
  PlanNode,
  RepartitionNode,
} from '../../dsl/plan/index.ts'
import { type Wires, wireForeignJoin } from './foreign.ts'
import type { Repartition, Step } from './physical.ts'
import { isAssigned } from '../time/assign.ts'
import { newStep } from './step.ts'

/** Steps that need all records of a key in one task. */
const keyed = new Set<PlanNode['kind']>([
  'aggregate',
  'toTable',
  'tableAggregate',
  'tableJoin',
  'streamTableJoin',
  'streamJoin',
  'process',
  'deduplicate',
  'match',
  'transformValues',
])
/** Steps whose output may have another key than their input. */
const rekeys = new Set<PlanNode['kind']>(['selectKey', 'map', 'flatMap', 'tableGroup'])

/** A step under construction: does its output still lie in the partition that its key belongs to? */
export interface Wired {
  readonly step: Step
  readonly moved: boolean
}

/**
 * Turns nodes into steps and puts a repartition where a keyed step would read records that have changed their key.
 * One moved stream read by several keyed steps is repartitioned once. Explicit repartitions stay as they are.
 */
export class Wiring implements Wires {
  readonly steps: Step[] = []
  readonly repartitions: Repartition[] = []
  /** Aggregations with a late output. */
  private readonly withLate = new Set<number>()
  private readonly wired = new Map<PlanNode, Wired>()
  private readonly shared = new Map<Step, Step>()

  constructor(plan: LogicalPlan) {
    for (const { kind, inputs } of plan.nodes) if (kind === 'late') this.withLate.add((inputs[0] as PlanNode).id)
    for (const node of plan.nodes) this.wired.set(node, this.wire(node))
  }

  private wire(node: PlanNode): Wired {
    const inputs = node.inputs.map((input) => this.of(input))
    if (node.kind === 'repartition') {
      const step = this.repartition(inputs[0] as Wired, node.name, node)
      return { step, moved: false }
    }
    if (node.kind === 'mapAsync') return this.later(node, inputs[0] as Wired)
    if (node.kind === 'foreignJoin') {
      const [left, right] = inputs.map((input, port) =>
        input.moved ? this.gathered(input, repartitionName(node, port)) : input.step,
      ) as [Step, Step]
      return { step: wireForeignJoin(node, left, right, this), moved: false }
    }
    if (node.kind === 'broadcast') return this.withRules(node, inputs[0] as Wired, inputs[1] as Wired)
    const gather = keyed.has(node.kind)
    const phased = node.kind === 'aggregate' && inputs.every(({ moved }) => moved) && this.twoPhase(node)
    const sources = inputs.map((input, port) =>
      phased
        ? this.partial(node, input, port)
        : gather && input.moved
          ? this.gathered(input, repartitionName(node, port))
          : input.step,
    )
    const step = this.add(newStep(node.name, node, node.table || node.kind === 'tableGroup', sources))
    const moved =
      rekeys.has(node.kind) ||
      (node.kind === 'source' && node.own?.byKey === false) ||
      (node.kind === 'process' && !node.valuesOnly) ||
      (!gather && inputs.some((input) => input.moved))
    return { step, moved }
  }

  /**
   * Can states be added up before they are sent? Sessions, sliding and count windows depend on all records of their key; and
   * whoever wants late records wants them as they were.
   */
  private twoPhase({ twoPhase, spec, windows, id }: AggregateNode): boolean {
    if (!twoPhase || !spec.mergeable || this.withLate.has(id)) return false
    return windows === undefined || (isAssigned(windows) && !('clock' in windows && windows.clock === 'wall'))
  }

  private partial(node: AggregateNode, input: Wired, port: number): Step {
    const first = this.add(
      newStep(`${node.name}-partial-${port + 1}`, { kind: 'partial', node, port }, false, [input.step]),
    )
    const repartition = {
      id: this.repartitions.length,
      name: `${repartitionName(node, port)}-repartition`,
      key:
        input.step.op.kind === 'repartitionRead' ? undefined : 'key' in input.step.op ? input.step.op.key : undefined,
      change: false,
      partial: true,
    }
    this.repartitions.push(repartition)
    this.add(newStep(`${repartition.name}-write`, { kind: 'repartitionWrite', repartition }, false, [first as Step]))
    return this.add(newStep(repartition.name, { kind: 'repartitionRead', repartition }, false, [])) as Step
  }

  /** What calls out goes on in a channel of its own: its results come when they come. */
  private later(node: AsyncNode, input: Wired): Wired {
    const step = this.add(newStep(node.name, node, false, [input.step]))
    const { key, value } = node
    const repartition = {
      id: this.repartitions.length,
      name: `${node.name}-results`,
      key,
      value,
      change: false,
      local: true,
    }
    this.repartitions.push(repartition)
    this.add(newStep(`${repartition.name}-write`, { kind: 'repartitionWrite', repartition }, false, [step as Step]))
    const read = this.add(newStep(repartition.name, { kind: 'repartitionRead', repartition }, false, []))
    return { step: read as Step, moved: input.moved }
  }

  /** Rules go to all tasks. */
  private withRules(node: BroadcastNode, input: Wired, rules: Wired): Wired {
    const repartition = {
      id: this.repartitions.length,
      name: `${node.name}-rules`,
      key: node.rulesKey,
      value: node.rulesValue,
      change: false,
      broadcast: true,
    }
    this.repartitions.push(repartition)
    this.add(newStep(`${repartition.name}-write`, { kind: 'repartitionWrite', repartition }, false, [rules.step]))
    const read = this.add(newStep(repartition.name, { kind: 'repartitionRead', repartition }, false, []))
    const step = this.add(newStep(node.name, node, false, [input.step, read as Step]))
    return { step: step as Step, moved: input.moved }
  }

  /** The one repartition of a moved stream. */
  private gathered(input: Wired, name: string): Step {
    const found = this.shared.get(input.step)
    if (found) return found
    const read = this.repartition(input, name, undefined)
    this.shared.set(input.step, read)
    return read
  }

  private repartition(input: Wired, name: string, node: RepartitionNode | undefined): Step {
    const from = input.step.op
    const serdes = node ?? ('key' in from || 'value' in from ? from : undefined)
    const repartition: Repartition = {
      id: this.repartitions.length,
      name: node?.named ? name : `${name}-repartition`,
      key: serdes?.key,
      value: serdes?.value,
      partitions: node?.partitions,
      partitioner: node?.partitioner,
      change: input.step.table,
    }
    return this.channel(input.step, repartition)
  }

  through(from: Step, given: Omit<Repartition, 'id' | 'change'>): Step {
    return this.channel(from, { ...given, id: this.repartitions.length, change: true })
  }

  private channel(from: Step, repartition: Repartition): Step {
    this.repartitions.push(repartition)
    this.add(newStep(`${repartition.name}-write`, { kind: 'repartitionWrite', repartition }, from.table, [from]))
    return this.add(newStep(repartition.name, { kind: 'repartitionRead', repartition }, from.table, []))
  }

  private of(node: PlanNode): Wired {
    const wired = this.wired.get(node)
    if (!wired) throw new Error(`plan node ${node.name} is used before it is made`)
    return wired
  }

  add<S extends Step>(step: S): S {
    this.steps.push(step)
    return step
  }
}

/** Named after the state behind it, so that a stateless step put in between renames nothing; the second input's has a 2. */
function repartitionName(node: PlanNode, port: number): string {
  const name = 'store' in node && node.store ? node.store.name : node.name
  return port === 0 ? name : `${name}-${port + 1}`
}
