import { DhaaraError } from '../../../errors/index.ts'
import type { PhysicalPlan, Repartition, Step } from '../../plan/physical.ts'
import { Channel } from './channel.ts'
import type { Links } from './links.ts'
import type { RemoteOutlet } from './remote-outlet.ts'
import { Upstream } from './upstream.ts'
import type { Task } from '../tasks/task.ts'

/** Which channels lead from which task of a plan to which: one a pair, within this thread or out of it. */
export class Wiring {
  readonly upstream: Upstream
  private readonly plan: PhysicalPlan
  private readonly partitions: readonly number[]
  private readonly transport: Links | undefined
  private readonly channels = new Map<string, Channel>()
  private readonly outs = new Map<string, Channel | RemoteOutlet>()

  /** @param partitions of each sub-topology @param transport where some tasks run elsewhere */
  constructor(plan: PhysicalPlan, partitions: readonly number[], transport: Links | undefined) {
    this.upstream = new Upstream(plan, partitions)
    this.plan = plan
    this.partitions = partitions
    this.transport = transport
  }

  /** Channels that a task's repartition write fills, by partition. */
  outlets(repartition: number, producer: number): (Channel | RemoteOutlet)[] {
    if (this.plan.repartitions[repartition]?.local) return [this.outlet(repartition, producer, producer)]
    const reader = this.readerOf(repartition)
    const count = this.partitions[reader.sub] as number
    return Array.from({ length: count }, (_, partition) => this.outlet(repartition, producer, partition))
  }

  private outlet(id: number, producer: number, partition: number): Channel | RemoteOutlet {
    const name = `${id}:${producer}:${partition}`
    const known = this.outs.get(name)
    if (known) return known
    const outlet =
      this.transport?.outlet(this.plan.repartitions[id] as Repartition, producer, partition) ??
      this.channel(id, producer, partition)
    this.outs.set(name, outlet)
    return outlet
  }

  /** Channels into a task, one a producing task. */
  incoming(repartition: number, partition: number): Channel[] {
    const writers = this.plan.steps.filter(
      ({ op }) => op.kind === 'repartitionWrite' && op.repartition.id === repartition,
    )
    const local = this.plan.repartitions[repartition]?.local === true
    return writers.flatMap((writer) =>
      local
        ? [this.channel(repartition, partition, partition)]
        : Array.from({ length: this.partitions[writer.sub] as number }, (_, producer) =>
            this.channel(repartition, producer, partition),
          ),
    )
  }

  /** Does a sub-topology write what it reads? */
  leadsBack(repartition: number): boolean {
    const { sub } = this.readerOf(repartition)
    return this.plan.steps.some(
      (step) => step.sub === sub && step.op.kind === 'repartitionWrite' && step.op.repartition.id === repartition,
    )
  }

  private readerOf(repartition: number): Step {
    return this.plan.steps.find(({ op }) => op.kind === 'repartitionRead' && op.repartition.id === repartition) as Step
  }

  private channel(id: number, producer: number, partition: number): Channel {
    const name = `${id}:${producer}:${partition}`
    const known = this.channels.get(name)
    if (known) return known
    const repartition = this.plan.repartitions[id]
    if (repartition === undefined) throw new DhaaraError('DHAARA_INTERNAL', `no repartition ${id}`)
    const channel = new Channel(repartition, producer, partition)
    this.channels.set(name, channel)
    return channel
  }
}

/** Tasks in the direction of the flow: whoever sends comes before whoever receives. */
export function inFlow(plan: PhysicalPlan, tasks: readonly Task[]): Task[] {
  const depth = new Map<number, number>()
  const depthOf = (sub: number): number => {
    const known = depth.get(sub)
    if (known !== undefined) return known
    depth.set(sub, 0)
    const sources = plan.steps.flatMap(({ op, sub: reader }) =>
      op.kind === 'repartitionRead' && reader === sub
        ? plan.steps
            .filter((step) => step.op.kind === 'repartitionWrite' && step.op.repartition.id === op.repartition.id)
            .map((step) => step.sub)
        : [],
    )
    const own = sources.length === 0 ? 0 : Math.max(...sources.map(depthOf)) + 1
    depth.set(sub, own)
    return own
  }
  return [...tasks].sort((a, b) => depthOf(a.parts.sub.id) - depthOf(b.parts.sub.id))
}
