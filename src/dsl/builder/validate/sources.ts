import type { TopologyProblem } from '../../../errors/index.ts'
import type { SourceNode } from '../../plan/index.ts'
import { topicsText } from '../sources.ts'
import { type Check, problem } from './problem.ts'

/** A topic is read by one source: what two with other options would mean (of W, of positions) nobody could say. */
export const conflictingSources: Check = (plan) => {
  const problems: TopologyProblem[] = []
  const sources = plan.nodes.filter((node) => node.kind === 'source')
  for (const [i, source] of sources.entries()) {
    for (const other of sources.slice(0, i)) {
      const shared = sharedTopic(source, other)
      if (shared === undefined) continue
      const where = other.site === undefined ? '' : ` at ${other.site}`
      const message = `found the topic ${shared} as a second source with other options than '${other.name}'${where}, expected one source; keep the first handle in a variable and use it twice`
      problems.push(problem('DHAARA_TOPIC_TWICE', source, message))
      break
    }
  }
  return problems
}

function sharedTopic(a: SourceNode, b: SourceNode): string | undefined {
  if (a.topics instanceof RegExp && b.topics instanceof RegExp) {
    return topicsText(a.topics) === topicsText(b.topics) ? topicsText(a.topics) : undefined
  }
  if (a.topics instanceof RegExp) return matching(a.topics, b.topics as readonly string[])
  if (b.topics instanceof RegExp) return matching(b.topics, a.topics)
  const { topics } = b
  const both = a.topics.find((topic) => topics.includes(topic))
  return both === undefined ? undefined : `'${both}'`
}

function matching(pattern: RegExp, topics: readonly string[]): string | undefined {
  // a global RegExp would remember where it stopped
  const fresh = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
  const topic = topics.find((name) => fresh.test(name))
  return topic === undefined ? undefined : `'${topic}'`
}

/** A table has one row a key: of several topics nobody could say whose row it is. */
export const tablesOfOneTopic: Check = (plan) =>
  plan.nodes
    .filter((node) => node.kind === 'source')
    .filter(({ table, topics }) => table && (topics instanceof RegExp || topics.length !== 1))
    .map((node) => {
      const found = `found a table over ${topicsText(node.topics)}, expected one topic`
      return problem('DHAARA_TABLE_TOPICS', node, `${found}; read them as a stream and call toTable()`)
    })
