import { inputsOf, isTable, type Op, type Shape, type ShapeNode } from './shape.ts'

/** Where a step's results go: straight into a step, or over a repartition. */
export type Way = { readonly to: number; readonly port: number } | { readonly repartition: Repartition }

export interface Repartition {
  readonly from: number
  readonly readers: { readonly to: number; readonly port: number }[]
}

export interface Cut {
  /** By node. */
  readonly ways: readonly Way[][]
  /** Task of each node. */
  readonly taskOf: readonly number[]
  readonly tasks: readonly TaskShape[]
}

export interface TaskShape {
  readonly nodes: readonly number[]
  readonly sources: readonly number[]
  readonly repartitions: readonly Repartition[]
}

const gathers = new Set<Op>(['toTable', 'aggregate', 'tally', 'tableJoin', 'lookup', 'process'])
const rekeys = new Set<Op>(['map', 'selectKey', 'flatMap', 'unwindow', 'group'])

/** What runs in one task, and what is repartitioned: records that changed their key are, before a step that needs all of a key. */
export function cut({ nodes }: Shape): Cut {
  const ways: Way[][] = nodes.map(() => [])
  const moved: boolean[] = []
  const repartitions = new Map<number, Repartition>()
  const leader = nodes.map((_, i) => i)
  const root = (i: number): number => (leader[i] === i ? i : root(leader[i] as number))
  const readersOf = (from: number): Repartition => {
    const known = repartitions.get(from)
    if (known) return known
    const made: Repartition = { from, readers: [] }
    repartitions.set(from, made)
    ;(ways[from] as Way[]).push({ repartition: made })
    return made
  }
  for (const [to, node] of nodes.entries()) {
    const inputs = inputsOf(node)
    let gathered = true
    for (const [port, from] of inputs.entries()) {
      if (node.op === 'repartition') {
        // stands for its own reading end
        const made: Repartition = { from, readers: [{ to, port }] }
        repartitions.set(-to - 1, made)
        ;(ways[from] as Way[]).push({ repartition: made })
      } else if (gathers.has(node.op) && moved[from]) {
        const { readers } = readersOf(from)
        if (readers[0]) leader[root(to)] = root(readers[0].to)
        readers.push({ to, port })
      } else {
        ;(ways[from] as Way[]).push({ to, port })
        leader[root(to)] = root(from)
        if (moved[from]) gathered = false
      }
    }
    moved.push(movesKeys(node) || (node.op !== 'repartition' && !gathered))
  }
  const roots = [...new Set(nodes.map((_, i) => root(i)))]
  const taskOf = nodes.map((_, i) => roots.indexOf(root(i)))
  const all = [...repartitions.values()].sort((a, b) => (a.readers[0]?.to ?? 0) - (b.readers[0]?.to ?? 0))
  const tasks = roots.map((_, task) => {
    const own = nodes.map((_, i) => i).filter((i) => taskOf[i] === task)
    return {
      nodes: own,
      sources: own.filter((i) => nodes[i]?.op === 'stream' || nodes[i]?.op === 'table'),
      repartitions: all.filter(({ readers }) => taskOf[readers[0]?.to as number] === task),
    }
  })
  return { ways, taskOf, tasks }
}

const movesKeys = (node: ShapeNode): boolean => rekeys.has(node.op) || (node.op === 'process' && !node.valuesOnly)

/** Carries row changes over the repartition, which then holds no task's time up. */
export const ofRows = (shape: Shape, { from }: Repartition): boolean => isTable(shape.nodes[from] as ShapeNode)

/**
 * Does no record reach a task on two ways? Else what meets there depends on how it was batched. Nor may a task be its
 * own producer.
 */
export function isStraight(shape: Shape): boolean {
  const { tasks, taskOf } = cut(shape)
  const origins = new Map<number, Set<number> | 'open'>()
  const originsOf = (task: number): Set<number> | undefined => {
    const known = origins.get(task)
    if (known === 'open') return undefined
    if (known) return known
    origins.set(task, 'open')
    const { sources, repartitions } = tasks[task] as TaskShape
    const found = new Set<number>(sources)
    for (const { from } of repartitions) {
      const upstream = originsOf(taskOf[from] as number)
      if (upstream === undefined) return undefined
      for (const source of upstream) {
        if (found.has(source)) return undefined
        found.add(source)
      }
    }
    origins.set(task, found)
    return found
  }
  return tasks.every((_, task) => originsOf(task) !== undefined)
}
