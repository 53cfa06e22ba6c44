import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { CommittedRows } from './committed.ts'
import type { Changes } from './changes.ts'
import { type AskOwner, LatestRows } from './latest.ts'
import { type StoreLayout, storeLayout } from './layout.ts'
import type { RowSource } from './raw.ts'
import type { OpenStore, Watching } from './store-query.ts'

/** What queries must know of an app. */
export interface QueryParts {
  readonly plan: PhysicalPlan
  readonly reader: BackendReader
  storeId(name: string): number | undefined
  partitionsOf(layout: StoreLayout): readonly number[]
  /** Absent where changes cannot be watched. */
  readonly changes?: Changes | undefined
  /** As `storeId`; gives a number to a store that has none yet. */
  storeIdFor(name: string): number
  /** Absent where nobody runs: then there is no later state than the committed one. */
  readonly ask?: AskOwner
}

/** The stores of an app, to be asked. */
export class Queries {
  private readonly plan: PhysicalPlan
  private readonly committed: RowSource
  private readonly latest: RowSource
  private readonly parts: Omit<QueryParts, 'plan' | 'ask' | 'changes'>
  private readonly changes: Changes | undefined
  private readonly stores = new Map<string, OpenStore>()

  constructor({ plan, ask, changes, ...given }: QueryParts) {
    const partitionsOf = (layout: StoreLayout) => given.partitionsOf(layout).slice(0, layout.copies ? 1 : undefined)
    const parts = { ...given, partitionsOf }
    this.plan = plan
    this.parts = parts
    this.changes = changes
    this.committed = new CommittedRows(parts)
    this.latest = ask === undefined ? this.committed : new LatestRows(ask, parts.partitionsOf)
  }

  /** @throws DhaaraError DHAARA_STORE_UNKNOWN, DHAARA_QUERY */
  open(name: string): OpenStore {
    let store = this.stores.get(name)
    if (store === undefined) {
      const layout = storeLayout(this.plan, name)
      store = {
        layout,
        watching: () => this.watching(layout),
        rows: ({ isolation }) => (isolation === 'latest' ? this.latest : this.committed),
      }
      this.stores.set(name, store)
    }
    return store
  }

  private watching(layout: StoreLayout): Watching {
    const { changes, parts } = this
    if (layout.inParts) {
      throw new DhaaraError(
        'DHAARA_UNSUPPORTED',
        `store '${layout.name}' keeps partial matches, whose changes are not told; ask for get or all again and again`,
      )
    }
    if (changes === undefined) {
      throw new DhaaraError(
        'DHAARA_UNSUPPORTED',
        `store '${layout.name}' cannot be watched here: changes are told by apps on the embedded log; ask again and again`,
      )
    }
    return { changes, store: parts.storeIdFor(layout.name), partitions: parts.partitionsOf(layout) }
  }
}
