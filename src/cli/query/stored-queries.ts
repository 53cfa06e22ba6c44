import type { LogicalPlan } from '../../dsl/plan/index.ts'
import { appsOf } from '../../engine/app/state/identity.ts'
import { compile } from '../../engine/plan/compile.ts'
import { Queries, type StoreLayout, storedPartitions } from '../../engine/query/index.ts'
import type { BackendReader } from '../../state/backend.ts'

/** Committed state of an app that does not run: all partitions of its stores, by the topology that wrote them. */
export function storedQueries(plan: LogicalPlan, app: string, reader: BackendReader): Queries {
  const idOf = (store: string): number | undefined => appsOf(reader).get(app)?.get(store)
  const partitionsOf = ({ name }: StoreLayout): readonly number[] => {
    const id = idOf(name)
    return id === undefined ? [] : storedPartitions(reader, id)
  }
  return new Queries({
    plan: compile(plan),
    reader,
    storeId: idOf,
    storeIdFor: (name) => idOf(name) ?? 0,
    partitionsOf,
  })
}
