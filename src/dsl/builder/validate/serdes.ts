import type { TopologyProblem } from '../../../errors/index.ts'
import type { PlanNode } from '../../plan/index.ts'
import { type Check, problem } from './problem.ts'

const isSerde = (serde: unknown, method: 'serialize' | 'deserialize'): boolean =>
  typeof (serde as Record<string, unknown> | undefined)?.[method] === 'function'

/** Bytes go in and out as they are: the key of a source without key serde, as long as no step gives it another. */
function keyIsBytes(node: PlanNode): boolean {
  if (node.key !== undefined) return false
  if (node.kind === 'source') return true
  const changes =
    node.kind === 'selectKey' || node.kind === 'map' || node.kind === 'flatMap' || node.kind === 'tableGroup'
  if (changes || (node.kind === 'process' && !node.valuesOnly)) return false
  if (node.kind === 'aggregate' && node.windows !== undefined) return false
  // of a join with a table, or rules, the key is the stream's
  const inputs = node.kind === 'merge' ? node.inputs : node.inputs.slice(0, 1)
  return inputs.every(keyIsBytes)
}

/** What crosses the topology's border needs a serde: sources read bytes, sinks write them. */
export const missingSerdes: Check = (plan) => plan.nodes.flatMap(checkNode)

function checkNode(node: PlanNode): TopologyProblem[] {
  const missing = (message: string) => problem('DHAARA_SERDE_MISSING', node, message)
  if (node.kind === 'source') {
    if (node.own !== undefined) return []
    const problems: TopologyProblem[] = []
    if (!isSerde(node.value, 'deserialize')) {
      problems.push(missing('found a source without value serde, expected one, e.g. {value: serdes.json()}'))
    }
    if (node.table && !isSerde(node.key, 'deserialize')) {
      problems.push(missing('found a table without key serde, expected one, e.g. {key: serdes.string()}'))
    }
    return problems
  }
  if (node.kind !== 'sink') return []
  const problems: TopologyProblem[] = []
  const topic = typeof node.topic === 'string' ? `'${node.topic}'` : 'a topic chosen by a function'
  if (!isSerde(node.key, 'serialize') && !keyIsBytes(node)) {
    const windowed = behindWindows(node) ? 'serdes.windowed(serdes.string())' : 'serdes.string()'
    const cure = `give to() one, e.g. {key: ${windowed}}, or the step that made the key; where all keys are null any serde does`
    problems.push(missing(`found a sink to ${topic} whose key serde is not known, expected one; ${cure}`))
  }
  if (!isSerde(node.value, 'serialize')) {
    const cure = 'give to() one, e.g. {value: serdes.json()}, or the step that made the value'
    problems.push(missing(`found a sink to ${topic} whose value serde is not known, expected one; ${cure}`))
  }
  return problems
}

function behindWindows(node: PlanNode): boolean {
  if (node.kind === 'aggregate') return node.windows !== undefined
  if (node.kind === 'map' || node.kind === 'flatMap' || node.kind === 'selectKey' || node.kind === 'process')
    return false
  const [input] = node.inputs
  return input !== undefined && behindWindows(input)
}
