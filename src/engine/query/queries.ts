import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader, Row } from '../../state/backend.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import type { Waits } from './applied.ts'
import { CommittedRows } from './committed.ts'
import type { Changes } from './changes.ts'
import { type AskOwner, LatestRows } from './latest.ts'
import { type StoreLayout, storeLayout } from './layout.ts'
import type { Partitions, RowSource } from './raw.ts'
import type { OpenStore } from './open-store.ts'
import type { QueryOptions } from './types.ts'
import { WaitingRows } from './waiting.ts'
import { type Begun, type Inbox, type Watched, type WatchFrom, type WatchRows, watchRows } from './watch.ts'

/** What queries must know of an app. */
export interface QueryParts extends Partitions {
  readonly plan: PhysicalPlan
  readonly reader: BackendReader
  storeId(name: string): number | undefined
  /** Absent where changes cannot be watched. */
  readonly changes?: Changes | undefined
  /** As `storeId`; gives a number to a store that has none yet. */
  storeIdFor(name: string): number
  /** Rows of a store, as counted while they were written; undefined where they were not. */
  readonly rowsOf?: (layout: StoreLayout) => number | undefined | Promise<number | undefined>
  /** Absent where nobody tells how far inputs are applied. */
  readonly applied?: Waits | undefined
  /** Rows that may be with other instances. @param settled of all commits that are under way now */
  readonly routed?: (isolation: 'committed' | 'latest', settled: boolean, signal: AbortSignal | undefined) => RowSource
  /** Rows that may be with other instances, watched. */
  readonly watched?: (layout: StoreLayout) => WatchRows
  /** A commit that another thread writes is over. */
  readonly settle?: () => void
  /** Somebody asks for rows. */
  readonly asked?: () => void
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
    const partitionsOf = (layout: StoreLayout) => {
      const all = given.partitionsOf(layout)
      return layout.copies ? all.slice(0, 1) : all
    }
    const parts = { ...given, partitionsOf }
    this.plan = plan
    this.parts = parts
    this.changes = changes
    this.committed = new CommittedRows(parts)
    this.latest = ask === undefined ? this.committed : new LatestRows(ask, parts)
  }

  /** @throws DhaaraError DHAARA_STORE_UNKNOWN, DHAARA_QUERY */
  open(name: string): OpenStore {
    let store = this.stores.get(name)
    if (store === undefined) {
      const layout = storeLayout(this.plan, name)
      store = {
        layout,
        watching: () => this.watching(layout),
        indexes: Object.keys(this.plan.stores.get(name)?.indexes ?? {}),
        estimate: () => this.parts.rowsOf?.(layout),
        rows: (options) => this.rows(layout, options),
        firstRow: async (options, of) =>
          (await firstOf(this.committed, of)) ?? (await firstOf(this.rows(layout, options), of)),
      }
      this.stores.set(name, store)
    }
    return store
  }

  private rows(layout: StoreLayout, { isolation, minPosition, signal }: QueryOptions): RowSource {
    this.parts.asked?.()
    if (isolation !== undefined && isolation !== 'committed' && isolation !== 'latest')
      throw new DhaaraError('DHAARA_QUERY', `isolation is ${String(isolation)}; expected 'committed' or 'latest'`)
    const rows =
      this.parts.routed?.(isolation ?? 'committed', minPosition !== undefined, signal) ??
      (isolation === 'latest' ? this.latest : this.committed)
    if (minPosition === undefined) return rows
    const { applied } = this.parts
    if (applied === undefined)
      throw new DhaaraError(
        'DHAARA_UNSUPPORTED',
        `store '${layout.name}' cannot wait for a position here: minPosition is there while an app runs`,
      )
    return new WaitingRows(rows, () => applied.wait(minPosition, layout.sub, signal))
  }

  private watching(layout: StoreLayout): WatchRows {
    const { changes, parts } = this
    if (layout.inParts) {
      throw new DhaaraError(
        'DHAARA_UNSUPPORTED',
        `store '${layout.name}' keeps partial matches, whose changes are not told; ask for get or all again and again`,
      )
    }
    if (parts.watched !== undefined) return parts.watched(layout)
    if (changes === undefined) {
      throw new DhaaraError(
        'DHAARA_UNSUPPORTED',
        `store '${layout.name}' cannot be watched here: changes are told by apps that run; ask again and again`,
      )
    }
    return (watched, from, signal) =>
      watchRows((inbox) => this.begin(changes, layout, watched, from, inbox), watched, signal)
  }

  private begin(
    changes: Changes,
    layout: StoreLayout,
    { key, matches, bounds }: Watched,
    from: WatchFrom,
    inbox: Inbox,
  ): Begun {
    // what is being written was looked at without it
    this.parts.settle?.()
    const watch = changes.add({
      store: this.parts.storeIdFor(layout.name),
      partitions: this.parts.partitionsOf(layout),
      ...(key === undefined ? {} : { key }),
      matches,
      needsBefore: layout.shape.kind === 'windows',
      take: (all) => inbox.take(all),
      end: (error) => inbox.end(error),
    })
    const pages = from === 'now' ? undefined : this.committed.scan(layout, { ...bounds, reverse: false })
    return { pages, [Symbol.dispose]: () => watch[Symbol.dispose]() }
  }
}

async function firstOf(rows: RowSource, layout: StoreLayout): Promise<Row | undefined> {
  const pages = rows.scan(layout, { reverse: false })
  try {
    return (await pages.next())[0]
  } finally {
    pages.close()
  }
}
