import type { PhysicalPlan } from '../engine/plan/physical.ts'
import type { TaskGroup } from '../engine/runtime/group.ts'
import { storeAccess } from '../engine/runtime/instance.ts'
import { DhaaraError } from '../errors/index.ts'

type Access = Record<string, (...args: unknown[]) => unknown>

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
  return {
    get: one('get'),
    has: (key: unknown) => parts.some((part) => part['has']?.(key)),
    put: (key: unknown, ...rest: unknown[]) => holder(key)['put']?.(key, ...rest),
    putIfAbsent: (key: unknown, value: unknown) => holder(key)['putIfAbsent']?.(key, value),
    delete: (key: unknown) => holder(key)['delete']?.(key),
    get approximateCount() {
      return parts.reduce((sum, part) => sum + Number(part['approximateCount']), 0)
    },
    all: many('all'),
    range: many('range'),
    prefix: many('prefix'),
    fetch: many('fetch'),
    fetchAll: many('fetchAll'),
    values: many('values'),
    length: (key: unknown) => Math.max(...parts.map((part) => Number(part['length']?.(key)))),
  }
}
