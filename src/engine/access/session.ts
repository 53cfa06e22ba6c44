import { type Session, type Sessions, type SessionTable } from '../../state/stores/index.ts'

interface SessionRow {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}
type Rows = Iterable<readonly [SessionRow, unknown]>

/** A session store as user code sees it: it belongs to its step. `fetch` finds sessions that start in [from, to]. */
export class SessionAccess {
  private readonly table: SessionTable
  private readonly show: (state: unknown) => unknown

  constructor(table: SessionTable, show: (state: unknown) => unknown) {
    this.table = table
    this.show = show
  }

  /** All sessions of a key, by start. */
  *sessions(key: unknown): Rows {
    yield* this.rowsOf(key, this.table.rows.load(key).value as Sessions | undefined)
  }

  *fetch(key: unknown, from: number, to: number): Rows {
    for (const row of this.sessions(key)) if (row[0].window.start >= from && row[0].window.start <= to) yield row
  }

  /** By start, then by key. */
  *fetchAll(from: number, to: number): Rows {
    const rows: (readonly [SessionRow, unknown])[] = []
    for (const { key, value } of this.table.rows.scan()) {
      for (const row of this.rowsOf(key, value as Sessions))
        if (row[0].window.start >= from && row[0].window.start <= to) rows.push(row)
    }
    yield* rows.sort((a, b) => a[0].window.start - b[0].window.start)
  }

  get(key: unknown, start: number): unknown {
    for (const [{ window }, value] of this.sessions(key)) if (window.start === start) return value
    return undefined
  }

  private *rowsOf(key: unknown, held: Sessions | undefined): Rows {
    if (held === undefined) return
    const all = held.closed.length === 0 ? held.open : [...held.closed, ...held.open].sort(byStart)
    for (const { start, end, state } of [...all]) yield [{ key, window: { start, end } }, this.show(state)]
  }
}

const byStart = (a: Session, b: Session): number => a.start - b.start
