import type { PhysicalPlan } from '../../plan/physical.ts'

/** Tasks by name, `<sub>_<partition>`. */
export type TaskNames = ReadonlySet<string>

/** Which tasks' records come to a task, by way of whichever others; it is one of them itself. */
export class Upstream {
  private readonly plan: PhysicalPlan
  private readonly partitions: readonly number[]
  private readonly known = new Map<string, TaskNames>()

  /** @param partitions of each sub-topology */
  constructor(plan: PhysicalPlan, partitions: readonly number[]) {
    this.plan = plan
    this.partitions = partitions
  }

  /** Of the producing task of a channel. */
  ofProducer(repartition: number, producer: number): TaskNames {
    const writer = this.writerOf(repartition)
    const name = `${writer}_${producer}`
    let found = this.known.get(name)
    if (found === undefined) {
      const all = new Set<string>()
      this.collect(writer, producer, all)
      this.known.set(name, (found = all))
    }
    return found
  }

  private collect(sub: number, partition: number, into: Set<string>): void {
    const name = `${sub}_${partition}`
    if (into.has(name)) return
    into.add(name)
    for (const { op, sub: reader } of this.plan.steps) {
      if (op.kind !== 'repartitionRead' || reader !== sub) continue
      const writer = this.writerOf(op.repartition.id)
      if (op.repartition.local) this.collect(writer, partition, into)
      else for (let p = 0; p < (this.partitions[writer] as number); p++) this.collect(writer, p, into)
    }
  }

  private writerOf(repartition: number): number {
    const { steps } = this.plan
    return steps.find(({ op }) => op.kind === 'repartitionWrite' && op.repartition.id === repartition)?.sub ?? 0
  }
}

/** Do records come to the two from nowhere in common? */
export function apart(one: TaskNames, other: TaskNames): boolean {
  for (const name of one) if (other.has(name)) return false
  return true
}
