import type { NodeView, SubTopologyView } from './view.ts'

/** The text of Kafka Streams' `TopologyDescription`, to be read by people and by tools made for it. */
export function describe(subs: readonly SubTopologyView[]): string {
  return `Topologies:\n ${subs.map(subText).join('')}`
}

function subText(sub: SubTopologyView): string {
  const global = sub.global ? ' for global store (will not generate tasks)' : ''
  return `  Sub-topology: ${sub.id}${global}\n${sub.nodes.map((node) => `    ${nodeText(node)}\n`).join('')}\n`
}

const names = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '))

function nodeText(node: NodeView): string {
  if (node.type === 'source' && node.own !== undefined)
    return `Source: ${node.name} (connector: ${node.own})\n      --> ${names(node.to)}`
  if (node.type === 'sink' && node.own !== undefined)
    return `Sink: ${node.name} (connector: ${node.own})\n      <-- ${names(node.from)}`
  if (node.type === 'source') {
    return `Source: ${node.name} (topics: [${node.topics.join(', ')}])\n      --> ${names(node.to)}`
  }
  if (node.type === 'sink') {
    const topic = node.topic === null ? 'extractor: a function' : `topic: ${node.topic}`
    return `Sink: ${node.name} (${topic})\n      <-- ${names(node.from)}`
  }
  const stores = `stores: [${node.stores.join(', ')}]`
  return `Processor: ${node.name} (${stores})\n      --> ${names(node.to)}\n      <-- ${names(node.from)}`
}
