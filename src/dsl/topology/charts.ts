import type { NodeView, SubTopologyView } from './view.ts'

interface Edge {
  readonly from: string
  readonly to: string
  /** Through a topic, from one sub-topology to another. */
  readonly topic: boolean
}

/** Ids of nodes (`n0`, …) and stores (`s0`, …): names may be anything that a chart's language reserves. */
function lay(subs: readonly SubTopologyView[]) {
  const nodes = subs.flatMap((sub) => sub.nodes)
  const ids = new Map(nodes.map((node, i) => [node.name, `n${i}`]))
  const id = (name: string): string => ids.get(name) as string
  const stores = [...new Set(nodes.flatMap((node) => (node.type === 'processor' ? node.stores : [])))]
  const edges: Edge[] = []
  for (const node of nodes) {
    if (node.type !== 'sink') for (const to of node.to) edges.push({ from: id(node.name), to: id(to), topic: false })
    else for (const to of readers(nodes, node.topic)) edges.push({ from: id(node.name), to: id(to), topic: true })
  }
  const uses = nodes.flatMap((node) =>
    node.type === 'processor' ? node.stores.map((store) => [node.name, store]) : [],
  )
  const kept = uses.map(([name, store]) => [id(name as string), `s${stores.indexOf(store as string)}`] as const)
  return { id, stores, edges, kept }
}

const readers = (nodes: readonly NodeView[], topic: string | null): readonly string[] =>
  nodes
    .filter((node) => node.type === 'source' && topic !== null && node.topics.includes(topic))
    .map((node) => node.name)

function label(node: NodeView): string {
  if (node.type === 'processor') return node.name
  if (node.own !== undefined) return `${node.name}: ${node.own}`
  const topic = node.type === 'source' ? node.topics.join(', ') : (node.topic ?? 'chosen by a function')
  return topic === node.name ? topic : `${node.name}: ${topic}`
}

/** A Mermaid flow chart: one box a sub-topology, dotted arrows through topics. */
export function toMermaid(subs: readonly SubTopologyView[]): string {
  const { id, stores, edges, kept } = lay(subs)
  const text = (s: string) => `"${s.replaceAll('"', '#quot;')}"`
  const shape = (node: NodeView) => (node.type === 'processor' ? `[${text(label(node))}]` : `([${text(label(node))}])`)
  return [
    'flowchart TD',
    ...subs.flatMap((sub) => [
      `  subgraph sub${sub.id} [${text(`${sub.global ? 'Global table' : 'Sub-topology'} ${sub.id}`)}]`,
      ...sub.nodes.map((node) => `    ${id(node.name)}${shape(node)}`),
      '  end',
    ]),
    ...stores.map((store, i) => `  s${i}[(${text(store)})]`),
    ...edges.map((edge) => `  ${edge.from} ${edge.topic ? '-.->' : '-->'} ${edge.to}`),
    ...kept.map(([node, store]) => `  ${node} --- ${store}`),
    '',
  ].join('\n')
}

/** A Graphviz digraph: one cluster a sub-topology, dashed arrows through topics. */
export function toDot(subs: readonly SubTopologyView[]): string {
  const { id, stores, edges, kept } = lay(subs)
  const text = (s: string) => `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  const shape = (node: NodeView) => (node.type === 'processor' ? 'box' : 'cds')
  return [
    'digraph topology {',
    '  rankdir=TB',
    ...subs.flatMap((sub) => [
      `  subgraph cluster_${sub.id} {`,
      `    label=${text(`${sub.global ? 'Global table' : 'Sub-topology'} ${sub.id}`)}`,
      ...sub.nodes.map((node) => `    ${id(node.name)} [label=${text(label(node))}, shape=${shape(node)}]`),
      '  }',
    ]),
    ...stores.map((store, i) => `  s${i} [label=${text(store)}, shape=cylinder]`),
    ...edges.map((edge) => `  ${edge.from} -> ${edge.to}${edge.topic ? ' [style=dashed]' : ''}`),
    ...kept.map(([node, store]) => `  ${node} -> ${store} [dir=none]`),
    '}',
    '',
  ].join('\n')
}
