/** Steps from table to table, a row for a row. Rows are kept where the user asks for it (`{store}`). */
import { needFunction } from '../checks.ts'
import { type Handle, needHandle } from '../handle.ts'
import { present } from '../helpers.ts'
import type { StateOptions } from '../options.ts'
import type { AnySerde, PlanNode, StoreSpec } from '../plan/index.ts'
import { useStores } from '../process/process.ts'
import { type GivenStore, type StoreHandle, storeSpec } from '../stores/index.ts'
import { suppressVault } from '../suppress/index.ts'

type State = StateOptions<any, any>

/** A step that keeps rows is counted apart, so that those that do not cannot rename its store. */
const operation = (name: string, given: GivenStore): string => (given === undefined ? name : `${name}Rows`)

/** What the rows of `table` are kept in: windowed ones in its kind of store. */
function rowStore(
  table: PlanNode,
  given: GivenStore,
  step: string,
  value: AnySerde | undefined,
): StoreSpec | undefined {
  if (given === undefined) return undefined
  const kind = windowedKind(table)
  return storeSpec(given, { step, value, ...(kind === undefined ? {} : { kind }) })
}

/** Is the key of these rows a window's, and of which kind? */
function windowedKind(table: PlanNode): 'window' | 'session' | undefined {
  const own = table.kind === 'aggregate' ? table.store.kind : undefined
  if (own === 'window' || own === 'session') return own
  const keeps = table.kind === 'filter' || table.kind === 'mapValues' || table.kind === 'transformValues'
  const [input] = table.inputs
  const same = keeps || table.kind === 'suppress' || table.kind === 'tableJoin' || table.kind === 'foreignJoin'
  return same && input !== undefined ? windowedKind(input) : undefined
}

export function filterRows(at: Handle, predicate: unknown, opts: State, negate: boolean): PlanNode {
  const fn = needFunction(predicate, 'filter')
  const base = at.draft.step(operation('filter', opts.store), [at.node], opts.name)
  const value = opts.value ?? at.node.value
  const store = rowStore(at.node, opts.store, base.name, value)
  const key = opts.key ?? at.node.key
  return at.draft.add({ ...base, kind: 'filter', table: true, key, value, fn, negate, ...present({ store }) })
}

export function mapRows(at: Handle, given: unknown, opts: State): PlanNode {
  const fn = needFunction(given, 'mapValues')
  const base = at.draft.step(operation('mapValues', opts.store), [at.node], opts.name)
  const { value } = opts
  const store = rowStore(at.node, opts.store, base.name, value)
  const key = opts.key ?? at.node.key
  return at.draft.add({ ...base, kind: 'mapValues', table: true, key, value, fn, negate: false, ...present({ store }) })
}

export interface TransformOptions extends State {
  readonly stores?: readonly StoreHandle[]
}

export function transformRows(at: Handle, given: unknown, opts: TransformOptions): PlanNode {
  const supplier = needFunction(given, 'transformValues')
  const stores = useStores(at.draft, opts.stores)
  const base = at.draft.step(operation('transformValues', opts.store), [at.node], opts.name)
  const { value } = opts
  const store = rowStore(at.node, opts.store, base.name, value)
  const key = opts.key ?? at.node.key
  return at.draft.add({
    ...base,
    kind: 'transformValues',
    table: true,
    key,
    value,
    supplier,
    stores,
    ...present({ store }),
  })
}

export function suppressRows(at: Handle, given: unknown, opts: State): PlanNode {
  const policy = suppressVault.open(given)
  const base = at.draft.step('suppress', [at.node], opts.name)
  const value = opts.value ?? at.node.value
  const kind = windowedKind(at.node)
  return at.draft.add({
    ...base,
    kind: 'suppress',
    table: true,
    key: opts.key ?? at.node.key,
    value,
    policy,
    buffer: storeSpec(`${base.name}-buffer`, { step: base.name, value, ...(kind === undefined ? {} : { kind }) }),
    ...present({ store: rowStore(at.node, opts.store, base.name, value) }),
  })
}

/** Of equal keys, or by a foreign key: two functions where the other has one. */
export function joinRows(
  at: Handle,
  how: 'inner' | 'left' | 'outer',
  given: unknown,
  rest: readonly unknown[],
): PlanNode {
  const call = how === 'inner' ? 'join' : `${how}Join`
  const { node: other } = needHandle(given, call, ['table'])
  const foreign = typeof rest[1] === 'function' && how !== 'outer'
  const [joiner, opts = {}] = (foreign ? rest.slice(1) : rest) as [unknown, State?]
  const fn = needFunction(joiner, `${call} joiner`)
  const foreignKey = foreign ? needFunction(rest[0], `${call} foreignKey`) : undefined
  const base = at.draft.step(foreign ? `${call}Foreign` : call, [at.node, other], opts.name)
  const kind = windowedKind(at.node)
  const fields = {
    ...base,
    table: true,
    key: opts.key ?? at.node.key,
    value: opts.value,
    joiner: fn,
    store: storeSpec(opts.store, { step: base.name, value: opts.value, ...(kind === undefined ? {} : { kind }) }),
  }
  if (foreignKey === undefined || how === 'outer') return at.draft.add({ ...fields, kind: 'tableJoin', how })
  return at.draft.add({ ...fields, kind: 'foreignJoin', how, foreignKey })
}
