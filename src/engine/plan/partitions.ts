import { type TopologyProblem, TopologyError } from '../../errors/index.ts'
import { topicsOf } from '../runtime/inputs/topics.ts'
import type { PhysicalPlan } from './physical.ts'

/**
 * How many partitions each sub-topology has: the most of its topics, and of the repartitions into it. Those have as many
 * as asked for, else as many as what is upstream, else as what they must be co-partitioned with.
 *
 * @param ownPartitions of sources that are no topics, whatever they say themselves
 * @throws TopologyError DHAARA_COPARTITION: inputs that meet have different counts
 */
export function partitionCounts(
  plan: PhysicalPlan,
  partitionsOf: (topic: string) => number,
  existing: readonly string[],
  ownPartitions?: number,
): number[] {
  const counts = new Array<number>(plan.subs.length).fill(0)
  const problems: TopologyProblem[] = []
  const visiting = new Set<number>()
  const countOf = (sub: number): number => {
    if (counts[sub] || visiting.has(sub)) return counts[sub] as number
    visiting.add(sub)
    const topics: [string, number][] = []
    let given: number | undefined
    let upstream = 0
    for (const { op, name } of (plan.subs[sub] as { inputs: PhysicalPlan['steps'] }).inputs) {
      if (op.kind === 'source' && op.own !== undefined) topics.push([name, ownPartitions ?? op.own.partitions])
      else if (op.kind === 'source') {
        for (const topic of topicsOf(op, existing)) if (!op.global) topics.push([topic, partitionsOf(topic)])
      } else if (op.kind === 'repartitionRead') {
        const { id, partitions, local } = op.repartition
        if (op.repartition.broadcast) continue
        if (partitions !== undefined) {
          if (given !== undefined && given !== partitions)
            problems.push(mismatch(name, `${given} and ${partitions} partitions were asked for`))
          given = partitions
        }
        for (const step of plan.steps) {
          if (step.op.kind !== 'repartitionWrite' || step.op.repartition.id !== id) continue
          const count = countOf(step.sub)
          if (step.sub === sub) continue
          if (local) topics.push([name, count])
          else upstream = Math.max(upstream, count)
        }
      }
    }
    const most = Math.max(0, ...topics.map(([, n]) => n))
    if (plan.subs[sub]?.inputsMeet) {
      const odd = topics.filter(([, n]) => n !== most)
      if (odd.length > 0)
        problems.push(mismatch(topics.map(([t]) => t).join(', '), topics.map(([t, n]) => `'${t}' has ${n}`).join(', ')))
      if (given !== undefined && most > 0 && given !== most)
        problems.push(
          mismatch(topics.map(([t]) => t).join(', '), `${given} were asked for, and '${topics[0]?.[0]}' has ${most}`),
        )
    }
    counts[sub] = given ?? (most > 0 ? most : Math.max(1, upstream))
    visiting.delete(sub)
    return counts[sub] as number
  }
  for (const sub of plan.subs) countOf(sub.id)
  if (problems.length > 0) throw new TopologyError(problems)
  return counts
}

const mismatch = (step: string, what: string): TopologyProblem => ({
  code: 'DHAARA_COPARTITION',
  step,
  message: `inputs that meet in one step need equal partition counts: ${what}; make the topics alike, or put .repartition({partitions: n}) behind a stream`,
})
