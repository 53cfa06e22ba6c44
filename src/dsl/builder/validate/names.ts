import type { TopologyProblem } from '../../../errors/index.ts'
import type { PlanNode } from '../../plan/index.ts'
import { ownStores } from '../../plan/own-stores.ts'
import { show } from '../../vault.ts'
import { isStepName, isTopicName } from '../names.ts'
import { type Check, problem } from './problem.ts'

const rule = "letters, digits, '.', '_' and '-', at most 237 of them"

export const invalidNames: Check = (plan) => {
  const problems: TopologyProblem[] = []
  for (const node of plan.nodes) {
    const bad = (what: string) =>
      problems.push(problem('DHAARA_NAME_INVALID', node, `found the ${what}, expected ${rule}; rename it`))
    if (!isStepName(node.name)) bad(`${node.named ? 'name' : 'derived name'} ${show(node.name)}`)
    for (const { name, named } of ownStores(node)) if (named && !isStepName(name)) bad(`store name ${show(name)}`)
    for (const topic of topicsOf(node)) {
      if (isTopicName(topic)) continue
      const message = `found the topic ${show(topic)}, expected letters, digits, '.', '_' and '-', at most 249 of them`
      problems.push(problem('DHAARA_NAME_INVALID', node, message))
    }
    if (
      node.kind === 'source' &&
      node.own === undefined &&
      !(node.topics instanceof RegExp) &&
      node.topics.length === 0
    ) {
      problems.push(problem('DHAARA_NAME_INVALID', node, 'found no topic, expected at least one'))
    }
  }
  for (const { name } of plan.stores) {
    if (isStepName(name)) continue
    const message = `found the store name ${show(name)}, expected ${rule}; rename it`
    problems.push({ code: 'DHAARA_NAME_INVALID', step: String(name), message })
  }
  return problems
}

function topicsOf(node: PlanNode): readonly string[] {
  if (node.kind === 'sink') return typeof node.topic === 'string' ? [node.topic] : []
  return node.kind === 'source' && !(node.topics instanceof RegExp) ? node.topics : []
}

/** Steps have names of their own, and so have stores; a step and a store may share one. */
export const takenNames: Check = (plan) => {
  const steps = new Map<string, PlanNode>()
  const stores = new Map<string, string>(plan.stores.map((store) => [store.name, 'builder.addStateStore']))
  const problems: TopologyProblem[] = []
  for (const [i, { name }] of plan.stores.entries()) {
    if (plan.stores.findIndex((store) => store.name === name) === i) continue
    const message = `found two stores of the name '${name}', expected one; use one handle for both, or rename one`
    problems.push({ code: 'DHAARA_NAME_TAKEN', step: name, message })
  }
  for (const node of plan.nodes) {
    const taken = (found: string) => problems.push(problem('DHAARA_NAME_TAKEN', node, `${found}; rename one of them`))
    const other = steps.get(node.name)
    if (other === undefined) steps.set(node.name, node)
    else taken(`found the step name '${node.name}' twice, expected it once; the other is ${other.kind}${at(other)}`)
    for (const { name } of ownStores(node)) {
      const holder = stores.get(name)
      if (holder === undefined) stores.set(name, `the step '${node.name}'${at(node)}`)
      else if (other === undefined)
        taken(`found the store name '${name}' twice, expected it once; the other is of ${holder}`)
    }
  }
  return problems
}

const at = (node: PlanNode): string => (node.site === undefined ? '' : ` at ${node.site}`)

const stateful = new Set<PlanNode['kind']>([
  'aggregate',
  'tableAggregate',
  'toTable',
  'streamJoin',
  'tableJoin',
  'foreignJoin',
  'process',
  'match',
  'deduplicate',
  'broadcast',
  'mapAsync',
  'suppress',
  'repartition',
])

/** `naming: 'explicit'`: whatever state or internal topic is named after must not move when the code does. */
export const unnamedState: Check = (plan) => {
  if (plan.naming !== 'explicit') return []
  return plan.nodes
    .filter((node) => {
      const keeps = stateful.has(node.kind) || (node.kind !== 'source' && ownStores(node).length > 0)
      const buffered = node.kind === 'streamTableJoin' && node.grace !== undefined
      return (keeps || buffered) && !node.named && !('store' in node && node.store?.named)
    })
    .map((node) => {
      const message = `found a step with state and no name (${node.kind}), expected one, as naming is 'explicit'; give it {name: '…'}`
      return problem('DHAARA_NAME_MISSING', node, message)
    })
}
