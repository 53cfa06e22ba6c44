import type { StreamingEvent } from '../../examples/hotstar/events.ts'
import type { Mode, Row } from './compare.ts'

/**
 * What the Hotstar job must put out, computed in plain loops over its input in the order of arrival in one partition. Slow and
 * obvious on purpose; it shares nothing with the topology.
 */
export const hotstarModes: Record<string, Mode> = {
  'hotstar-sessions': 'last',
  'hotstar-minutes': 'closed',
  'hotstar-regions': 'closed',
  'hotstar-quality': 'closed',
  'hotstar-commands': 'multiset',
  'hotstar-alerts': 'multiset',
  'hotstar-late': 'multiset',
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const MILLION = 1_000_000
const LADDER = ['4K', '1080p', '720p', '480p', '360p']
const LOWEST: Record<string, number> = { '4K': 25_000, '1080p': 8000, '720p': 3000, '480p': 1500, '360p': 800 }

interface Seen {
  readonly event: StreamingEvent
  readonly region: string
  readonly delta: number
  readonly drop: boolean
  /** Highest timestamp before it, less the bound. */
  readonly watermark: number
}

export function hotstarModel(events: readonly StreamingEvent[]): Record<string, Row[]> {
  const sessions = new Map<string, Record<string, unknown>>()
  const seen: Seen[] = []
  let highest = Number.NEGATIVE_INFINITY
  for (const event of events) {
    const { sessionId, userId, contentId, eventType, quality, timestamp } = event
    const was = sessions.get(sessionId) as
      | { playing: boolean; quality: string; plays: number; events: number; lastEventAt: number }
      | undefined
    const playing =
      eventType === 'play' ? true : eventType === 'pause' || eventType === 'stop' ? false : (was?.playing ?? false)
    const delta = Number(playing) - Number(was?.playing ?? false)
    const drop =
      eventType === 'quality_change' && was !== undefined && LADDER.indexOf(quality) > LADDER.indexOf(was.quality)
    sessions.set(sessionId, {
      userId,
      contentId,
      playing,
      quality,
      plays: (was?.plays ?? 0) + (delta === 1 ? 1 : 0),
      events: (was?.events ?? 0) + 1,
      lastEventAt: Math.max(was?.lastEventAt ?? 0, timestamp),
    })
    seen.push({ event, region: regionOf(event.location), delta, drop, watermark: highest - 10 * SECOND - 1 })
    highest = Math.max(highest, timestamp)
  }
  const perMinute = minutes(seen)
  const perRegion = regions(seen)
  const perWindow = quality(seen)
  return {
    'hotstar-sessions': [...sessions].map(([key, value]) => ({ key, value })),
    'hotstar-minutes': perMinute.rows,
    'hotstar-regions': perRegion.rows,
    'hotstar-quality': perWindow.rows,
    'hotstar-commands': events.flatMap((event) => commands(event).map((value) => ({ key: event.sessionId, value }))),
    'hotstar-alerts': [...perMinute.alerts, ...perRegion.alerts, ...perWindow.alerts, ...investigations(seen)],
    'hotstar-late': perMinute.late,
  }
}

function regionOf(city: string): string {
  if (/^(delhi|gurgaon|noida)$/.test(city)) return 'delhi'
  if (/^(bangalore|mysore|mangalore)$/.test(city)) return 'bangalore'
  if (/^(hyderabad|vijayawada)$/.test(city)) return 'hyderabad'
  if (/^(kolkata|bhubaneswar)$/.test(city)) return 'kolkata'
  return 'mumbai'
}

/** What came in time for its window, by key and start, in the order of the starts; and what did not. */
function windowed(seen: readonly Seen[], size: number, keyOf: (one: Seen) => string) {
  const windows = new Map<string, Map<number, Seen[]>>()
  const late: Seen[] = []
  for (const one of seen) {
    const start = Math.floor(one.event.timestamp / size) * size
    if (one.watermark >= start + size + 20 * SECOND - 1) {
      late.push(one)
      continue
    }
    const ofKey = windows.get(keyOf(one)) ?? new Map<number, Seen[]>()
    windows.set(keyOf(one), ofKey.set(start, [...(ofKey.get(start) ?? []), one]))
  }
  const sorted = [...windows].map(([key, starts]) => [key, [...starts].sort(([a], [b]) => a - b)] as const)
  return { sorted, late }
}

function minutes(seen: readonly Seen[]) {
  const rows: Row[] = []
  const alerts: Row[] = []
  const { sorted, late } = windowed(seen, MINUTE, ({ event }) => event.contentId)
  for (const [contentId, windows] of sorted) {
    let concurrent = 0
    let peak = 0
    for (const [start, inside] of windows) {
      const joined = inside.filter(({ delta }) => delta === 1).length
      const left = inside.filter(({ delta }) => delta === -1).length
      const before = concurrent
      concurrent = Math.max(0, concurrent + (joined - left) * 10_000)
      const at = start + MINUTE
      for (let k = 1; k * MILLION <= concurrent; k++) {
        if (k * MILLION > peak)
          alerts.push({ key: contentId, value: { type: 'MILESTONE', contentId, viewers: k * MILLION, at } })
      }
      if (concurrent > 50 * MILLION && before <= 50 * MILLION) {
        alerts.push({
          key: contentId,
          value: { type: 'SCALE_ALERT', severity: 'HIGH', contentId, concurrent, at, action: 'AUTO_SCALE_IMMEDIATELY' },
        })
      }
      peak = Math.max(peak, concurrent)
      const sum = inside.reduce((total, { event }) => total + event.bufferPercent, 0)
      const errors = inside.filter(({ event }) => event.eventType === 'error').length
      rows.push({
        key: { key: contentId, window: { start, end: at } },
        value: {
          events: inside.length,
          joined,
          left,
          concurrent,
          peak,
          regions: count(inside, ({ region }) => region),
          qualities: count(inside, ({ event }) => event.quality),
          networks: count(inside, ({ event }) => event.networkType),
          devices: count(inside, ({ event }) => event.deviceType),
          avgBufferPercent: Math.floor(sum / inside.length),
          errorRateBp: Math.floor((errors * 10_000) / inside.length),
        },
      })
    }
  }
  const lateRows = late.map(({ event: { eventId, sessionId, timestamp } }) => ({
    key: eventId,
    value: { eventId, sessionId, timestamp },
  }))
  return { rows, alerts, late: lateRows }
}

const CENTRES = ['bangalore', 'delhi', 'hyderabad', 'kolkata', 'mumbai', 'pune']
const LIMIT: Record<string, number> = {
  mumbai: 6_800_000,
  delhi: 5_100_000,
  bangalore: 4_250_000,
  hyderabad: 2_550_000,
  pune: 2_125_000,
  kolkata: 1_700_000,
}
const NEAREST: Record<string, string> = {
  mumbai: 'pune hyderabad bangalore delhi kolkata',
  delhi: 'mumbai pune hyderabad kolkata bangalore',
  bangalore: 'hyderabad pune mumbai kolkata delhi',
  hyderabad: 'bangalore pune mumbai kolkata delhi',
  kolkata: 'hyderabad delhi bangalore pune mumbai',
  pune: 'mumbai hyderabad bangalore delhi kolkata',
}

function regions(seen: readonly Seen[]) {
  const rows: Row[] = []
  const alerts: Row[] = []
  const [india] = windowed(seen, MINUTE, () => 'india').sorted
  let demand: Record<string, number> = Object.fromEntries(CENTRES.map((name) => [name, 0]))
  for (const [start, inside] of india?.[1] ?? []) {
    const before = demand
    demand = Object.fromEntries(
      CENTRES.map((name) => {
        const net = inside.filter(({ region }) => region === name).reduce((sum, { delta }) => sum + delta, 0)
        return [name, Math.max(0, before[name]! + net * 10_000)]
      }),
    )
    const at = start + MINUTE
    for (const region of CENTRES) {
      if (demand[region]! > 5 * MILLION && before[region]! <= 5 * MILLION) {
        const value = {
          type: 'REGIONAL_OVERLOAD',
          severity: 'MEDIUM',
          region,
          demand: demand[region],
          at,
          action: 'ACTIVATE_BACKUP_CDNS',
        }
        alerts.push({ key: region, value })
      }
    }
    rows.push({ key: { key: 'india', window: { start, end: at } }, value: { demand, ...routed(demand) } })
  }
  return { rows, alerts }
}

function routed(demand: Record<string, number>) {
  const free = Object.fromEntries(CENTRES.map((name) => [name, Math.max(0, LIMIT[name]! - demand[name]!)]))
  const spilled: object[] = []
  let unplaced = 0
  for (const from of CENTRES) {
    let overflow = Math.max(0, demand[from]! - LIMIT[from]!)
    for (const to of NEAREST[from]!.split(' ')) {
      const viewers = Math.min(overflow, free[to]!)
      if (viewers > 0) spilled.push({ from, to, viewers })
      free[to]! -= viewers
      overflow -= viewers
    }
    unplaced += overflow
  }
  return { assigned: Object.fromEntries(CENTRES.map((name) => [name, LIMIT[name]! - free[name]!])), spilled, unplaced }
}

function quality(seen: readonly Seen[]) {
  const rows: Row[] = []
  const alerts: Row[] = []
  for (const [region, windows] of windowed(seen, 5 * MINUTE, (one) => one.region).sorted) {
    for (const [start, inside] of windows) {
      const end = start + 5 * MINUTE
      const changed = inside.filter(({ event }) => event.eventType === 'quality_change')
      const drops = changed.filter(({ drop }) => drop).length
      const acted = (action: string) =>
        inside.filter(({ event }) => commands(event).some((each) => each['action'] === action)).length
      const value = {
        events: inside.length,
        changes: changed.length,
        drops,
        lowQuality: changed.filter(({ event }) => /^(480p|360p)$/.test(event.quality)).length,
        lowBuffer: inside.filter(({ event }) => event.bufferPercent < 20).length,
        emergency: acted('emergency_buffer'),
        preventive: acted('preventive_buffer'),
        optimize: acted('optimize_bandwidth'),
      }
      rows.push({ key: { key: region, window: { start, end } }, value })
      if (changed.length >= 10 && drops / changed.length > 0.3) {
        alerts.push({
          key: region,
          value: { type: 'QUALITY_DROPS', severity: 'MEDIUM', region, changes: changed.length, drops, at: end },
        })
      }
    }
  }
  return { rows, alerts }
}

function commands({ eventId, quality: from, bitrateKbps, bufferMs }: StreamingEvent): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = []
  const step = (by: number, action: string, reason: string) => {
    const to = LADDER[LADDER.indexOf(from) + by]
    if (to !== undefined) found.push({ eventId, command: 'quality', action, from, to, reason })
  }
  const lowest = LOWEST[from]!
  if (bufferMs < 2000) step(1, 'quality_downgrade', 'buffer_health')
  else if (bitrateKbps < lowest) step(1, 'quality_downgrade', 'bandwidth_insufficient')
  else if (bufferMs > 8000 && bitrateKbps > 1.5 * lowest) step(-1, 'quality_upgrade', 'improved_conditions')

  const buffer = (action: string, priority: string) => found.push({ eventId, command: 'buffer', action, priority })
  if (bufferMs < 1000) buffer('emergency_buffer', 'high')
  else if (bufferMs < 3000) buffer('preventive_buffer', 'medium')
  else if (bufferMs > 10_000) buffer('optimize_bandwidth', 'low')
  return found
}

function investigations(seen: readonly Seen[]): Row[] {
  return seen
    .filter(({ event }) => event.bufferPercent < 20)
    .map(({ event: { contentId, eventId, bufferPercent }, region }) => ({
      key: region,
      value: { type: 'CDN_INVESTIGATE', region, contentId, eventId, bufferPercent },
    }))
}

function count(seen: readonly Seen[], nameOf: (one: Seen) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const one of seen) counts[nameOf(one)] = (counts[nameOf(one)] ?? 0) + 1
  return counts
}
