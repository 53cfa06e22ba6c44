import type { GraphNode } from '../../../src/http/live/types.ts'

/**
 * What stands on the cards. Derived names repeat the names of all that is before a step: a card says the topic, the store, or the
 * part of the name that is the step's own.
 */
export function titlesOf(nodes: readonly GraphNode[]): ReadonlyMap<number, string> {
  const names = nodes.map(({ name }) => name).toSorted((a, b) => b.length - a.length)
  return new Map(nodes.map((node) => [node.id, titleOf(node, names)]))
}

function titleOf({ name, topics, stores, kind }: GraphNode, names: readonly string[]): string {
  if (topics.length > 0) return topics.join(', ')
  const [store] = stores
  if (store !== undefined && kind !== 'process') return store
  const before = names.find((other) => other !== name && name.startsWith(`${other}-`))
  return before === undefined ? name : name.slice(before.length + 1)
}
