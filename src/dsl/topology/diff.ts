/** What a deploy would change: two topologies as `toJSON` gives them. */
interface Step {
  readonly name: string
  readonly kind: string
  readonly inputs: readonly string[]
  readonly topics?: unknown
  readonly topic?: unknown
  readonly windows?: unknown
  readonly ownStores?: readonly string[]
}
interface Store {
  readonly name: string
  readonly kind: string
  readonly key?: { readonly version?: number }
  readonly value?: { readonly version?: number }
}
interface Repartition {
  readonly name: string
  readonly partitions?: number
}
export interface TopologyJson {
  readonly nodes: readonly Step[]
  readonly stores: readonly Store[]
  /** Absent where it was saved before they were told. */
  readonly repartitions?: readonly Repartition[]
}

export interface TopologyDiff {
  /** Read by people: one line a change, state first. */
  readonly lines: readonly string[]
  /** The state does not fit: such a start is refused unless something is done about it. */
  readonly refused: boolean
}

/** Is this what `Topology.toJSON` gives? */
export function isTopologyJson(data: unknown): data is TopologyJson {
  const { nodes, stores } = (data ?? {}) as Partial<TopologyJson>
  return Array.isArray(nodes) && Array.isArray(stores)
}

/** Which state is kept, begins anew, or is in the way; which steps and topics come and go. */
export function diffTopologies(old: TopologyJson, now: TopologyJson): TopologyDiff {
  const state = diffStores(old, now)
  const paths = diffRepartitions(old.repartitions, now.repartitions)
  const steps = [...diffSteps(old.nodes, now.nodes), ...diffTopics(old.nodes, now.nodes)]
  const lines = [...state.lines, ...paths.lines, ...steps]
  return { lines: lines.length === 0 ? ['Nothing changes.'] : lines, refused: state.refused || paths.refused }
}

const byName = <T extends { readonly name: string }>(all: readonly T[]) => new Map(all.map((one) => [one.name, one]))

function diffStores(old: TopologyJson, now: TopologyJson): TopologyDiff {
  const lines: string[] = []
  const kept: string[] = []
  let refused = false
  const are = byName(now.stores)
  const refuse = (line: string) => {
    refused = true
    lines.push(line)
  }
  for (const was of old.stores) {
    const is = are.get(was.name)
    const [windows, window] = [windowsOf(old, was.name), windowsOf(now, was.name)]
    if (is === undefined)
      refuse(`! store '${was.name}' (${was.kind}) is gone: say {renames} or {allowNonRestoredState: true}`)
    else if (is.kind !== was.kind)
      refuse(`! store '${was.name}' was ${was.kind} and is ${is.kind}: give it another name`)
    else if (windows !== window)
      refuse(`! windows of '${was.name}' were ${windows} and are ${window}: give the store another name`)
    else if (versionOf(was.key) !== versionOf(is.key))
      refuse(`! the key serde of '${was.name}' was ${versionOf(was.key)} and is ${versionOf(is.key)}`)
    else if (versionOf(was.value) !== versionOf(is.value))
      lines.push(
        `~ values of '${was.name}' were ${versionOf(was.value)} and are ${versionOf(is.value)}: migrated as they are read, if the serde has migrate; else refused`,
      )
    else kept.push(was.name)
  }
  if (kept.length > 0 && lines.length > 0) lines.push(`  state is kept of ${kept.join(', ')}`)
  const were = byName(old.stores)
  for (const { name, kind } of now.stores) if (!were.has(name)) lines.push(`+ store '${name}' (${kind}) begins empty`)
  return { lines, refused }
}

/** Rows lie where keys go: with another number of partitions they are looked for elsewhere. */
function diffRepartitions(
  old: readonly Repartition[] | undefined,
  now: readonly Repartition[] | undefined,
): TopologyDiff {
  const lines: string[] = []
  if (old === undefined || now === undefined) return { lines, refused: false }
  const [were, are] = [byName(old), byName(now)]
  const count = (partitions: number | undefined) => partitions ?? 'as many as its input'
  let refused = false
  for (const { name, partitions } of old) {
    const is = are.get(name)
    if (is === undefined) lines.push(`- repartition ${name}: refused while records are in flight to it`)
    else if (is.partitions !== partitions) {
      refused = true
      lines.push(
        `! repartition '${name}' had ${count(partitions)} partitions and has ${count(is.partitions)}: start from a savepoint, which is spread anew`,
      )
    }
  }
  for (const { name } of now) if (!were.has(name)) lines.push(`+ repartition ${name}`)
  return { lines, refused }
}

const windowsOf = ({ nodes }: TopologyJson, store: string): string | undefined => {
  const windows = nodes.find(({ ownStores }) => ownStores?.includes(store))?.windows
  return windows === undefined ? undefined : JSON.stringify(windows)
}

const versionOf = (serde: { readonly version?: number } | undefined): string =>
  serde === undefined ? 'of the typed codec' : `of version ${serde.version ?? 0}`

function diffSteps(old: readonly Step[], now: readonly Step[]): string[] {
  const [were, are] = [byName(old), byName(now)]
  const lines = old.filter(({ name }) => !are.has(name)).map(({ name, kind }) => `- step ${name} (${kind})`)
  for (const { name, kind, inputs } of now) {
    const was = were.get(name)
    if (was === undefined) lines.push(`+ step ${name} (${kind}) after ${inputs.join(', ') || 'nothing'}`)
    else if (was.kind !== kind) lines.push(`~ step ${name} was ${was.kind} and is ${kind}`)
    else if (was.inputs.join() !== inputs.join())
      lines.push(`~ step ${name} reads ${inputs.join(', ')}; it read ${was.inputs.join(', ')}`)
  }
  return lines
}

function diffTopics(old: readonly Step[], now: readonly Step[]): string[] {
  const lines: string[] = []
  for (const [does, topicsOf] of [['read', readBy] as const, ['written', writtenBy] as const]) {
    const [were, are] = [new Set(old.flatMap(topicsOf)), new Set(now.flatMap(topicsOf))]
    for (const topic of were) if (!are.has(topic)) lines.push(`- topic ${topic} is not ${does} any more`)
    for (const topic of are) if (!were.has(topic)) lines.push(`+ topic ${topic} is ${does}`)
  }
  return lines
}

const readBy = ({ topics }: Step): string[] =>
  topics === undefined ? [] : Array.isArray(topics) ? topics.map(String) : [JSON.stringify(topics)]
const writtenBy = ({ kind, topic }: Step): string[] => (kind === 'sink' && typeof topic === 'string' ? [topic] : [])
