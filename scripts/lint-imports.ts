/**
 * Holds the tree to `import-rules.ts`: forbidden imports, circles, exceptions and knots that nothing needs.
 *
 * Imports are found by a scan of the text, not by a parser: an import statement starts its line (formatting sees to
 * that), so what stands in comments (` * import ...`) and in strings is not taken for one.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { type ImportException, importExceptions, type Knot, knots, type LayerRule, layerRules } from './import-rules.ts'

export interface FoundImport {
  /** As written, for example `./a.ts`. */
  readonly specifier: string
  readonly line: number
  /** `import type` or `export type`: erased before the code runs. */
  readonly typeOnly: boolean
}

interface Edge {
  readonly from: string
  readonly to: string
  readonly line: number
  readonly typeOnly: boolean
}

const statement = /^(?:import|export)(\s+type)?\s[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]/gm
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** The imports of one module, static ones first. */
export function findImports(source: string): FoundImport[] {
  const lineOf = (index: number): number => source.slice(0, index).split('\n').length
  const found: FoundImport[] = []
  for (const match of source.matchAll(statement)) {
    found.push({ specifier: (match[2] ?? match[3])!, line: lineOf(match.index), typeOnly: match[1] !== undefined })
  }
  for (const match of source.matchAll(dynamic)) {
    const line = source.slice(source.lastIndexOf('\n', match.index) + 1, match.index)
    if (/^\s*(\*|\/\/)/.test(line)) continue
    found.push({ specifier: match[1]!, line: lineOf(match.index), typeOnly: /\btype\b.*=\s*$/.test(line) })
  }
  return found
}

/**
 * Checks a set of files against the rules.
 * @param files path from the root, with `/` -> source text
 * @returns one line a problem, `file:line what was found, what is allowed`; empty if all is well
 */
export function checkImports(
  files: ReadonlyMap<string, string>,
  rules: readonly LayerRule[] = layerRules,
  exceptions: readonly ImportException[] = importExceptions,
  tied: readonly Knot[] = knots,
): string[] {
  const problems: string[] = []
  const needed = new Set<ImportException>()
  const edges = edgesOf(files)
  for (const edge of edges) {
    const rule = ruleOf(edge.from, rules)
    if (rule === undefined || isAllowed(edge, rule)) continue
    const exception = exceptions.find((e) => e.from === edge.from && e.to === edge.to)
    if (exception !== undefined) {
      needed.add(exception)
      continue
    }
    const types = rule.mayTypes?.length ? `, and types of ${rule.mayTypes.join(', ')}` : ''
    problems.push(
      `${edge.from}:${edge.line} imports ${edge.to}; ${rule.layer} may import ${rule.may.join(', ') || 'nothing but itself'}${types}`,
    )
  }
  for (const exception of exceptions) {
    if (needed.has(exception)) continue
    problems.push(
      `scripts/import-rules.ts: the exception ${exception.from} -> ${exception.to} is not needed; remove it`,
    )
  }
  const loose = edges.filter((edge) => !tied.some((knot) => inKnot(edge, knot)))
  for (const knot of tied) {
    if (cyclesOf(edges.filter((edge) => inKnot(edge, knot))).length > 0) continue
    problems.push(`scripts/import-rules.ts: the types of ${knot.files.join(', ')} go in no circle; remove the knot`)
  }
  for (const cycle of cyclesOf(loose)) problems.push(`${cycle[0]}: imports go in a circle: ${cycle.join(' -> ')}`)
  return problems
}

function edgesOf(files: ReadonlyMap<string, string>): Edge[] {
  const edges: Edge[] = []
  for (const [from, source] of files) {
    for (const { specifier, line, typeOnly } of findImports(source)) {
      if (!specifier.startsWith('.')) continue
      edges.push({
        from,
        to: normalize(join(dirname(from), specifier))
          .split(sep)
          .join('/'),
        line,
        typeOnly,
      })
    }
  }
  return edges
}

const inside = (path: string, layer: string): boolean => path === layer || path.startsWith(`${layer}/`)

/** The layer's folder for this path (`connectors/*` becomes `connectors/kafka`), or undefined if it is not in it. */
function layerRoot(path: string, layer: string): string | undefined {
  if (!layer.endsWith('/*')) return inside(path, layer) ? layer : undefined
  const parent = layer.slice(0, -1)
  if (!path.startsWith(parent)) return undefined
  const folder = path.slice(parent.length).split('/')[0]!
  return parent + folder
}

/** The most specific rule: a folder named in full before one with `*`, then the longest. */
function ruleOf(path: string, rules: readonly LayerRule[]): LayerRule | undefined {
  const wild = (rule: LayerRule): number => (rule.layer.endsWith('*') ? 1 : 0)
  return rules
    .filter((rule) => layerRoot(path, rule.layer) !== undefined)
    .toSorted((a, b) => wild(a) - wild(b) || b.layer.length - a.layer.length)[0]
}

function isAllowed(edge: Edge, rule: LayerRule): boolean {
  const home = layerRoot(edge.from, rule.layer)!
  const targets = edge.typeOnly ? [...rule.may, ...(rule.mayTypes ?? [])] : rule.may
  return inside(edge.to, home) || targets.some((target) => inside(edge.to, target))
}

const inKnot = ({ from, to, typeOnly }: Edge, { files }: Knot): boolean =>
  typeOnly && files.includes(from) && files.includes(to)

/** Each circle once, as the files on it, the first one repeated at the end. Depth-first search. */
function cyclesOf(edges: readonly Edge[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) {
    const list = next.get(from)
    if (list === undefined) next.set(from, [to])
    else if (!list.includes(to)) list.push(to)
  }
  const cycles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) cycles.push([...path.slice(at), file])
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const to of next.get(file) ?? []) visit(to)
    path.pop()
    done.add(file)
  }
  for (const file of next.keys()) visit(file)
  return cycles
}

if (import.meta.main) {
  const paths = globSync(['{src,examples,bench,scripts,test}/**/*.ts', 'console/src/**/*.{ts,tsx}']).map((p) =>
    p.split(sep).join('/'),
  )
  const problems = checkImports(new Map(paths.toSorted().map((path) => [path, readFileSync(path, 'utf8')])))
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) console.error(`${problems.length} forbidden import(s); the table is scripts/import-rules.ts`)
  process.exitCode = problems.length > 0 ? 1 : 0
}
