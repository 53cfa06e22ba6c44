import { useEffect, useState } from 'preact/hooks'
import { events, getJson, Problem } from '../../lib/api.ts'
import { type Asked, keyJson, type Row, rowPath, type RowPage, rowsPath, type StoreInfo } from './query.ts'

export interface Rows {
  readonly rows: readonly Row[]
  readonly cursor: string | undefined
  readonly problem: string | undefined
  readonly loading: boolean
  /** Keys (as JSON) that have just changed, with a number that is new each time. */
  readonly fresh: ReadonlyMap<string, number>
}

const none: Rows = { rows: [], cursor: undefined, problem: undefined, loading: true, fresh: new Map() }
/** More than that nobody reads while it moves. */
const mostLive = 200

/** The rows that were asked for; with `following`, as they change. */
export function useRows(store: StoreInfo, asked: Asked, cursor: string | undefined, following: boolean): Rows {
  const [rows, setRows] = useState<Rows>(none)
  useEffect(() => {
    setRows(none)
    const stop = new AbortController()
    const fail = (error: unknown): void => {
      if (stop.signal.aborted) return
      const problem = error instanceof Problem ? error.message : String(error)
      setRows((now) => ({ ...now, problem, loading: false }))
    }
    if (following) followOn(store, asked, stop.signal, setRows).catch(fail)
    else load(store, asked, cursor, stop.signal).then(setRows, fail)
    return () => stop.abort()
  }, [store.name, JSON.stringify(asked), cursor, following])
  return rows
}

async function load(store: StoreInfo, asked: Asked, cursor: string | undefined, signal: AbortSignal): Promise<Rows> {
  if (store.kind !== 'window' && asked.key !== '') {
    try {
      const row = await getJson<Row>(rowPath(store, asked), signal)
      return { ...none, rows: [row], loading: false }
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return { ...none, loading: false }
      throw error
    }
  }
  const page = await getJson<RowPage>(rowsPath(store, asked, cursor), signal)
  return { ...none, rows: page.rows, cursor: page.cursor, loading: false }
}

/** How long to wait where rows are on their way between instances, ms. */
const pause = 1000

/** From the beginning, whenever rows that are followed have moved. */
async function followOn(...asked: Parameters<typeof follow>): Promise<void> {
  for (;;) {
    try {
      return await follow(...asked)
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 503) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}

/** For so long a row that has changed is washed in colour, as the style sheet has it. */
const washMs = 1400

/** Of a store with more rows than this not all of them are told first: it may have millions. */
const mostTold = 2000

async function follow(store: StoreInfo, asked: Asked, signal: AbortSignal, show: (rows: Rows) => void): Promise<void> {
  const { name } = store
  const { key, prefix } = asked
  const path = `api/stores/${encodeURIComponent(name)}`
  const { count } = await getJson<{ readonly count: number }>(`${path}/count?estimate=true`, signal)
  const large = count > mostTold && key === ''
  const query = new URLSearchParams(large ? { from: 'now' } : {})
  if (key !== '') query.set('key', keyJson(key))
  else if (prefix !== '') query.set('prefix', keyJson(prefix))
  const rows = new Map<string, Row>()
  const fresh = new Map<string, number>()
  const changedAt = new Map<string, number>()
  let n = 0
  let due: number | undefined
  const draw = (): void => {
    due = undefined
    show({ ...none, rows: [...rows.values()], loading: false, fresh: new Map(fresh) })
    const now = performance.now()
    for (const [id, at] of changedAt) {
      if (now - at < washMs) continue
      changedAt.delete(id)
      fresh.delete(id)
    }
  }
  // begun after the changes, so that none is missed between the two
  const first = async (): Promise<void> => {
    const page = large ? (await load(store, asked, undefined, signal)).rows : []
    for (const row of page) rows.set(JSON.stringify(row.key), row)
    show({ ...none, rows: page, loading: false })
  }
  for await (const { data } of events(`${path}/changes?${query}`, signal, first)) {
    const row = JSON.parse(data) as Row
    const id = JSON.stringify(row.key)
    if (row.value === null) rows.delete(id)
    else {
      // what has changed last is first; what is told for the first time is no change
      const known = rows.delete(id)
      const before = [...rows.entries()].slice(0, mostLive - 1)
      rows.clear()
      rows.set(id, row)
      for (const [other, one] of before) rows.set(other, one)
      if (known) {
        fresh.set(id, ++n)
        changedAt.set(id, performance.now())
      }
    }
    due ??= requestAnimationFrame(draw)
  }
}
