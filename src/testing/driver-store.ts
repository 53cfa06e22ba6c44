import type { PhysicalPlan } from '../engine/plan/physical.ts'
import type { TaskGroup } from '../engine/runtime/tasks/group.ts'
import { storeAccess } from '../engine/runtime/steps/store-access.ts'
import { storeCodecs } from '../engine/runtime/steps/stores.ts'
import { DhaaraError } from '../errors/index.ts'

type Access = Record<string, (...args: unknown[]) => unknown>
type Scan = (...args: unknown[]) => Iterable<readonly [unknown, unknown]>

/** Where a method takes its limits. */
const limitsAt: Readonly<Record<string, number>> = { range: 2, prefix: 1 }

interface WindowedKey {
  readonly key: unknown
  readonly window: { readonly start: number }
}

const isWindowed = (key: unknown): key is WindowedKey => typeof key === 'object' && key !== null && 'window' in key

const byWindow = (a: WindowedKey, b: WindowedKey, compare: (a: unknown, b: unknown) => number): number =>
  a.window.start - b.window.start || compare(a.key, b.key)

/** A store over all partitions: reads ask each in turn, scans go through them in order; writes go to where the key is, else to the first. */
export function driverStore(plan: PhysicalPlan, group: TaskGroup, name: string, now: () => number): unknown {
  const spec = plan.stores.get(name)
  if (spec === undefined) {
    throw new DhaaraError(
      'DHAARA_STORE_UNKNOWN',
      `there is no store '${name}'; the topology has: ${[...plan.stores.keys()].join(', ') || 'none'}`,
    )
  }
  const owner = plan.steps.find(({ op }) => 'store' in op && op.store?.name === name)
  const tasks = group.tasks.filter((task) => task.parts.sub.stores.some((store) => store.name === name))
  const parts = tasks.map((task) => storeAccess(group.stores.get(task.id) as never, spec, owner, now) as Access)
  // of a global table each task has a copy
  if (parts.length === 1 || (owner?.op.kind === 'source' && owner.op.global)) return parts[0]
  const first = parts[0] as Access
  const holder = (key: unknown) => parts.find((part) => part['get']?.(key) !== undefined) ?? first
  const one =
    (method: string) =>
    (...args: unknown[]) =>
      (parts.find((part) => part[method]?.(...args) !== undefined) ?? first)[method]?.(...args)
  const many = (method: string) =>
    function* (...args: unknown[]) {
      for (const part of parts) yield* part[method]?.(...args) as Iterable<unknown>
    }
  /** As one store would have them. */
  const ordered = (method: string) =>
    function* (...args: unknown[]) {
      const { compare } = storeCodecs(spec, name).keys
      const { reverse = false, limit } = (args[limitsAt[method] ?? 0] ?? {}) as { reverse?: boolean; limit?: number }
      const rows = parts.flatMap((part) => Array.from((part[method] as Scan)(...args)))
      rows.sort(([a], [b]) => (isWindowed(a) && isWindowed(b) ? byWindow(a, b, compare) : compare(a, b)))
      if (reverse) rows.reverse()
      yield* limit === undefined ? rows : rows.slice(0, limit)
    }
  return {
    get: one('get'),
    has: (key: unknown) => parts.some((part) => part['has']?.(key)),
    put: (key: unknown, ...rest: unknown[]) => holder(key)['put']?.(key, ...rest),
    putIfAbsent: (key: unknown, value: unknown) => holder(key)['putIfAbsent']?.(key, value),
    delete: (key: unknown) => holder(key)['delete']?.(key),
    get approximateCount() {
      return parts.reduce((sum, part) => sum + Number(part['approximateCount']), 0)
    },
    all: ordered('all'),
    range: ordered('range'),
    prefix: ordered('prefix'),
    fetch: many('fetch'),
    fetchAll: ordered('fetchAll'),
    values: many('values'),
    length: (key: unknown) => Math.max(...parts.map((part) => Number(part['length']?.(key)))),
  }
}
