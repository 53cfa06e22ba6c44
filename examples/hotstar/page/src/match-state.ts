import { events, getJson } from '../../../../console/src/lib/api.ts'
import { Store } from '../../../../console/src/lib/store.ts'
import type { Alert } from '../../alerts.ts'
import type { Quality } from '../../events.ts'
import { FINAL } from '../../match.ts'
import { type ByRegion, noDemand } from '../../regions.ts'

/** A minute of the final; `concurrent` is known when it has closed. */
export interface Minute {
  readonly start: number
  readonly events: number
  readonly joined: number
  readonly left: number
  readonly qualities: Readonly<Partial<Record<Quality, number>>>
  readonly networks: Readonly<Record<string, number>>
  readonly devices: Readonly<Record<string, number>>
  readonly concurrent?: number
}

/** Five minutes of a region. */
export interface QualityWindow {
  readonly region: string
  readonly start: number
  readonly changes: number
  readonly drops: number
  readonly lowBuffer: number
  readonly events: number
}

/** What the page knows, all of it from the app's stores and topics. */
export interface Match {
  readonly concurrent: number
  readonly peak: number
  /** In the order of time. */
  readonly minutes: readonly Minute[]
  readonly demand: ByRegion
  readonly windows: readonly QualityWindow[]
  /** The last first. */
  readonly alerts: readonly Alert[]
}

export const match = new Store<Match>({
  concurrent: 0,
  peak: 0,
  minutes: [],
  demand: noDemand,
  windows: [],
  alerts: [],
})
export const connected = new Store(false)

const api = '../../api'
/** Minutes that are drawn. */
const shown = 90
const minutes = new Map<number, Minute>()

interface Change<K, V> {
  readonly key: K
  readonly value: V | null
}
interface Windowed {
  readonly key: string
  readonly window: { readonly start: number }
}
type Counted = Omit<Minute, 'start'>

/** Follows the match until the signal ends; comes back after a loss. */
export function follow(signal: AbortSignal): void {
  const key = encodeURIComponent(JSON.stringify(FINAL))
  void changes<string, { concurrent: number; peak: number }>(
    `concurrent/changes?key=${key}`,
    ({ value }) => {
      if (value === null) return
      update({ concurrent: value.concurrent, peak: value.peak })
      refresh()
    },
    signal,
  )
  void changes<Windowed, Counted>(
    `minutes/changes?key=${key}`,
    ({ key: { window }, value }) => {
      if (value === null) return
      remember(window.start, value)
      later()
    },
    signal,
  )
  void changes<string, ByRegion>('demand/changes', ({ value }) => value !== null && update({ demand: value }), signal)
}

/** Server-sent events of a store. */
async function changes<K, V>(path: string, each: (change: Change<K, V>) => void, signal: AbortSignal): Promise<void> {
  for (let wait = 500; !signal.aborted; wait = Math.min(8000, wait * 2)) {
    try {
      for await (const { data } of events(`${api}/stores/${path}`, signal)) {
        connected.set(true)
        wait = 500
        each(JSON.parse(data) as Change<K, V>)
      }
    } catch {
      // tried again
    }
    if (signal.aborted) return
    connected.set(false)
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

function update(part: Partial<Match>): void {
  match.set({ ...match.value, ...part })
}

function remember(start: number, value: Counted): void {
  minutes.set(start, { ...minutes.get(start), ...value, start })
}

let planned = false
/** Many changes come at once: they are drawn together. */
function later(): void {
  if (planned) return
  planned = true
  requestAnimationFrame(() => {
    planned = false
    const inOrder = [...minutes.values()].sort((a, b) => a.start - b.start).slice(-shown)
    const first = inOrder[0]?.start ?? 0
    for (const start of minutes.keys()) if (start < first) minutes.delete(start)
    update({ minutes: inOrder })
  })
}

let refreshing = false
let again = false
/** What goes with a minute that has closed: its row, the regions' quality, alerts. */
function refresh(): void {
  again = true
  if (refreshing) return
  refreshing = true
  void (async () => {
    while (again) {
      again = false
      // what could not be had is asked for with the next minute; the live stream shows whether the app is there
      await Promise.allSettled([rows(), windows(), alerts()])
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    refreshing = false
  })()
}

interface Page<K, V> {
  readonly records: readonly { readonly key: K; readonly value: V; readonly timestamp: number }[]
}

async function rows(): Promise<void> {
  const { records } = await getJson<Page<Windowed, Counted>>(`${api}/topics/hotstar-minutes/records?limit=200`)
  for (const { key, value } of records) if (key.key === FINAL) remember(key.window.start, value)
  later()
}

async function windows(): Promise<void> {
  type Row = { key: Windowed; value: Omit<QualityWindow, 'region' | 'start'> }
  const found = await getJson<{ rows: readonly Row[] }>(`${api}/stores/quality/windows?limit=120&reverse=true`)
  update({ windows: found.rows.map(({ key, value }) => ({ ...value, region: key.key, start: key.window.start })) })
}

const mostAlerts = 40

async function alerts(): Promise<void> {
  const { records } = await getJson<Page<string, Alert>>(`${api}/topics/hotstar-alerts/records?limit=300`)
  const told = records
    .filter(({ value }) => value.type !== 'CDN_INVESTIGATE')
    .sort((a, b) => b.timestamp - a.timestamp)
    .slice(0, mostAlerts)
  update({ alerts: told.map(({ value }) => value) })
}
