import type { BackendReader } from '../../state/backend.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { CommittedRows } from './committed.ts'
import { type AskOwner, LatestRows } from './latest.ts'
import { type StoreLayout, storeLayout } from './layout.ts'
import type { RowSource } from './raw.ts'
import type { OpenStore } from './store-query.ts'

/** What queries must know of an app. */
export interface QueryParts {
  readonly plan: PhysicalPlan
  readonly reader: BackendReader
  storeId(name: string): number | undefined
  partitionsOf(layout: StoreLayout): readonly number[]
  /** Absent where nobody runs: then there is no later state than the committed one. */
  readonly ask?: AskOwner
}

/** The stores of an app, to be asked. */
export class Queries {
  private readonly plan: PhysicalPlan
  private readonly committed: RowSource
  private readonly latest: RowSource
  private readonly stores = new Map<string, OpenStore>()

  constructor({ plan, ask, ...given }: QueryParts) {
    const partitionsOf = (layout: StoreLayout) => given.partitionsOf(layout).slice(0, layout.copies ? 1 : undefined)
    const parts = { ...given, partitionsOf }
    this.plan = plan
    this.committed = new CommittedRows(parts)
    this.latest = ask === undefined ? this.committed : new LatestRows(ask, parts.partitionsOf)
  }

  /** @throws DhaaraError DHAARA_STORE_UNKNOWN, DHAARA_QUERY */
  open(name: string): OpenStore {
    let store = this.stores.get(name)
    if (store === undefined) {
      store = {
        layout: storeLayout(this.plan, name),
        rows: ({ isolation }) => (isolation === 'latest' ? this.latest : this.committed),
      }
      this.stores.set(name, store)
    }
    return store
  }
}
