/** Steps without state: one record in, its results out. */
import { inspect } from 'node:util'
import { needFunction } from '../checks.ts'
import { type Handle, needHandle } from '../handle.ts'
import type { SerdeOptions, StepOptions } from '../options.ts'
import type { AnySerde, MapNode, PlanNode, UserFn } from '../plan/index.ts'

type Options = SerdeOptions<any, any>
interface Serdes {
  readonly key: AnySerde | undefined
  readonly value: AnySerde | undefined
}

function step(
  at: Handle,
  kind: MapNode['kind'],
  fn: unknown,
  opts: StepOptions,
  serdes: Serdes,
  operation: string = kind,
  negate = false,
): PlanNode {
  const checked = needFunction(fn, operation)
  const base = at.draft.step(operation, [at.node], opts.name)
  return at.draft.add({ ...base, kind, table: false, ...serdes, fn: checked, negate })
}

const kept = (at: Handle): Serdes => ({ key: at.node.key, value: at.node.value })

export const filter = (at: Handle, predicate: unknown, opts: StepOptions, negate: boolean): PlanNode =>
  step(at, 'filter', predicate, opts, kept(at), 'filter', negate)

export const mapValues = (at: Handle, kind: 'mapValues' | 'flatMapValues', fn: unknown, opts: Options): PlanNode =>
  step(at, kind, fn, opts, { key: at.node.key, value: opts.value })

export const mapRecords = (at: Handle, kind: 'map' | 'flatMap', fn: unknown, opts: Options): PlanNode =>
  step(at, kind, fn, opts, { key: opts.key, value: opts.value })

export const selectKey = (at: Handle, fn: unknown, opts: Options, operation: 'selectKey' | 'groupBy'): PlanNode =>
  step(at, 'selectKey', fn, opts, { key: opts.key, value: opts.value ?? at.node.value }, operation)

export const see = (at: Handle, kind: 'peek' | 'forEach', fn: unknown, opts: StepOptions): PlanNode =>
  step(at, kind, fn, opts, kept(at))

/** Standard output belongs to the records that `dhaara run` writes: this goes to standard error. */
export function print(at: Handle, opts: StepOptions & { readonly label?: string }): PlanNode {
  const label = opts.label ?? opts.name ?? at.node.name
  const show = (value: unknown) => inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 6 })
  const fn: UserFn = (value, key) => void process.stderr.write(`[${label}] ${show(key)}: ${show(value)}\n`)
  return step(at, 'peek', fn, opts, kept(at), 'print')
}

/** A serde that both sides have stays. */
export function merge(at: Handle, other: unknown, opts: StepOptions): PlanNode {
  const { node } = needHandle(other, 'merge', ['stream'])
  const base = at.draft.step('merge', [at.node, node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'merge',
    table: false,
    key: at.node.key === node.key ? node.key : undefined,
    value: at.node.value === node.value ? node.value : undefined,
  })
}
