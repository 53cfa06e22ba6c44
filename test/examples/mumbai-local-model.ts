import type { Tap, Train } from '../../examples/mumbai-local/events.ts'
import type { Mode, Row } from './compare.ts'

/**
 * What the job of Mumbai's local trains must put out, computed in plain loops over its two inputs, each in the order of its
 * arrival in one partition. Slow and obvious on purpose; it shares nothing with the topology.
 */
export const mumbaiLocalModes: Record<string, Mode> = {
  'local-hourly': 'closed',
  'local-rolling': 'closed',
  'local-journeys': 'closed',
  'local-daily': 'closed',
  'local-board': 'sequence',
  'local-train-hours': 'closed',
  'local-alerts': 'multiset',
  'local-late': 'multiset',
}

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const INDIA = 19_800_000

export function mumbaiLocalModel(taps: readonly Tap[], trains: readonly Train[]): Record<string, Row[]> {
  const passengers = passengerWindows(taps)
  const board = arrivalBoard(trains)
  return {
    'local-hourly': passengers.hourly,
    'local-rolling': passengers.rolling,
    'local-journeys': journeys(taps),
    'local-daily': passengers.daily,
    'local-board': board.rows,
    'local-train-hours': trainHours(trains),
    'local-alerts': [...passengers.alerts, ...board.alerts],
    'local-late': passengers.late,
  }
}

/** Rules 1, 2 and 4: the entries of each window that was still open when they came. */
function passengerWindows(taps: readonly Tap[]) {
  const hours = new Map<number, Tap[]>()
  const threeHours = new Map<number, Tap[]>()
  const days = new Map<number, Tap[]>()
  const late: Row[] = []
  let highest = Number.NEGATIVE_INFINITY
  for (const tap of taps) {
    const watermark = highest - 2 * MINUTE - 1
    const isOpen = (end: number) => watermark < end + 10 * MINUTE - 1
    if (tap.tap === 'entry') {
      const hour = startOf(tap.timestamp, HOUR)
      if (isOpen(hour + HOUR)) put(hours, hour, tap)
      else late.push({ key: tap.tapId, value: { tapId: tap.tapId, station: tap.station, timestamp: tap.timestamp } })
      for (const start of [hour - 2 * HOUR, hour - HOUR, hour]) {
        if (isOpen(start + 3 * HOUR)) put(threeHours, start, tap)
      }
      const day = startOf(tap.timestamp, DAY)
      if (isOpen(day + DAY)) put(days, day, tap)
    }
    highest = Math.max(highest, tap.timestamp)
  }

  const hourly: Row[] = []
  const alerts: Row[] = []
  for (const [start, entries] of hours) {
    const passengers = entries.length
    const value = {
      hour: hourInMumbai(start),
      passengers,
      class: passengers > 2000 ? 'PEAK' : passengers > 1000 ? 'BUSY' : passengers > 500 ? 'NORMAL' : 'QUIET',
      busiest: busiest(entries),
    }
    hourly.push({ key: windowed('mumbai', start, start + HOUR), value })
    if (value.class === 'PEAK') {
      alerts.push({ key: 'mumbai', value: { type: 'PEAK_HOUR', windowStart: start, passengers } })
    }
  }

  const rolling: Row[] = []
  for (const [start, entries] of threeHours) {
    const perHour = [0, 1, 2].map(
      (i) => entries.filter((tap) => startOf(tap.timestamp, HOUR) === start + i * HOUR).length,
    )
    const [h0, , h2] = perHour as [number, number, number]
    const value = {
      passengers: entries.length,
      avgPerHour: Math.floor(entries.length / 3),
      hours: perHour,
      trend: 5 * h2 > 6 * h0 ? 'rising' : 5 * h2 < 4 * h0 ? 'falling' : 'stable',
    }
    rolling.push({ key: windowed('mumbai', start, start + 3 * HOUR), value })
  }

  const daily: Row[] = []
  for (const [start, entries] of days) {
    const during = (from: number, to: number) =>
      entries.filter(({ timestamp }) => hourInMumbai(timestamp) >= from && hourInMumbai(timestamp) <= to).length
    const value = {
      date: new Date(start + INDIA).toISOString().slice(0, 10),
      passengers: entries.length,
      morningPeak: during(7, 9),
      eveningPeak: during(18, 20),
      offPeak: during(23, 23) + during(0, 5),
    }
    daily.push({ key: windowed('mumbai', start, start + DAY), value })
  }
  return { hourly, rolling, daily, alerts, late }
}

interface Session {
  passengerId: string
  taps: Tap[]
  first: number
  last: number
}

/** Rule 3 */
function journeys(taps: readonly Tap[]): Row[] {
  const closed: Session[] = []
  const open = new Map<string, Session[]>()
  let highest = Number.NEGATIVE_INFINITY
  for (const tap of taps) {
    const watermark = highest - 2 * MINUTE - 1
    const isClosed = (session: Session) => session.last + 100 * MINUTE <= watermark
    const t = tap.timestamp
    const merged: Session = { passengerId: tap.passengerId, taps: [tap], first: t, last: t }
    const apart: Session[] = []
    for (const session of open.get(tap.passengerId) ?? []) {
      if (isClosed(session)) {
        closed.push(session)
      } else if (t >= session.first - 90 * MINUTE && t <= session.last + 90 * MINUTE) {
        merged.taps.push(...session.taps)
        merged.first = Math.min(merged.first, session.first)
        merged.last = Math.max(merged.last, session.last)
      } else {
        apart.push(session)
      }
    }
    open.set(tap.passengerId, isClosed(merged) ? apart : [...apart, merged])
    highest = Math.max(highest, t)
  }
  return [...closed, ...[...open.values()].flat()].map(({ passengerId, taps: own, first, last }) => ({
    key: windowed(passengerId, first, last),
    value: journey(own),
  }))
}

function journey(unsorted: readonly Tap[]) {
  const taps = [...unsorted].sort((a, b) => {
    if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp
    if (a.tap !== b.tap) return a.tap === 'entry' ? -1 : 1
    return a.station < b.station ? -1 : a.station > b.station ? 1 : 0
  })
  const entry = taps.find((tap) => tap.tap === 'entry')
  const exit = taps.findLast((tap) => tap.tap === 'exit')
  let rides = 0
  let transfers = 0
  for (let i = 1; i < taps.length; i++) {
    const before = taps[i - 1] as Tap
    const tap = taps[i] as Tap
    if (before.tap === 'entry' && tap.tap === 'exit') rides++
    if (before.tap === 'exit' && tap.tap === 'entry' && tap.timestamp - before.timestamp < 30 * MINUTE) transfers++
  }
  const startStation = entry?.station ?? null
  const endStation = exit?.station ?? null
  if (entry === undefined || exit === undefined || exit.timestamp < entry.timestamp) {
    return { startStation, endStation, durationMin: null, rides, transfers, pattern: 'incomplete' }
  }
  const durationMin = Math.floor((exit.timestamp - entry.timestamp) / MINUTE)
  const home = ['Andheri', 'Bandra', 'Borivali', 'Virar']
  const work = ['CST', 'Churchgate', 'Lower Parel', 'BKC']
  let pattern = 'long_distance'
  if (home.includes(entry.station) && work.includes(exit.station)) pattern = 'home_to_work'
  else if (work.includes(entry.station) && home.includes(exit.station)) pattern = 'work_to_home'
  else if (durationMin < 20) pattern = 'local_trip'
  return { startStation, endStation, durationMin, rides, transfers, pattern }
}

/** Rule 5 */
function arrivalBoard(trains: readonly Train[]): { rows: Row[]; alerts: Row[] } {
  const rows: Row[] = []
  const alerts: Row[] = []
  let held: { train: Train; outOfOrder: boolean }[] = []
  const release = (watermark: number) => {
    const due = held.filter(({ train }) => train.scheduledAt <= watermark)
    held = held.filter(({ train }) => train.scheduledAt > watermark)
    due.sort((a, b) => a.train.scheduledAt - b.train.scheduledAt) // equal ones stay as they came
    for (const { train, outOfOrder } of due) {
      const { trainId, scheduledAt, arrivedAt } = train
      const delaySec = delayOf(train)
      const value = { trainId, scheduledAt, arrivedAt, delaySec, status: statusOf(delaySec), outOfOrder }
      rows.push({ key: train.route, value })
    }
  }
  const before: Train[] = []
  let highest = Number.NEGATIVE_INFINITY
  for (const train of trains) {
    const { trainId, route, scheduledAt } = train
    if (scheduledAt <= highest - 6 * MINUTE - 1) {
      const value = { type: 'DEFINITELY_LATE', trainId, route, scheduledAt, delaySec: delayOf(train) }
      alerts.push({ key: route, value })
    } else {
      const outOfOrder = before.some((other) => other.route === route && other.scheduledAt > scheduledAt)
      held.push({ train, outOfOrder })
    }
    before.push(train)
    highest = Math.max(highest, scheduledAt)
    release(highest - 6 * MINUTE - 1)
  }
  release(Number.POSITIVE_INFINITY)
  return { rows, alerts }
}

/** Rule 6 */
function trainHours(trains: readonly Train[]): Row[] {
  const windows = new Map<string, Train[]>()
  let highest = Number.NEGATIVE_INFINITY
  for (const train of trains) {
    const watermark = highest - 6 * MINUTE - 1
    const start = startOf(train.scheduledAt, HOUR)
    if (watermark < start + HOUR + 30 * MINUTE - 1) put(windows, `${train.route} ${start}`, train)
    highest = Math.max(highest, train.scheduledAt)
  }
  return [...windows.values()].map((own) => {
    const { route, scheduledAt } = own[0] as Train
    const start = startOf(scheduledAt, HOUR)
    const delays = own.map(delayOf)
    const number = (status: string) => delays.filter((delay) => statusOf(delay) === status).length
    const positive = delays.filter((delay) => delay > 0).sort((a, b) => a - b)
    const n = positive.length
    const p95 = n === 0 ? null : (positive[Math.floor((95 * n) / 100)] as number)
    const value = {
      trains: own.length,
      onTime: number('on_time'),
      minorDelay: number('minor_delay'),
      delay: number('delay'),
      majorDelay: number('major_delay'),
      maxDelaySec: Math.max(...delays),
      avgDelaySec: n === 0 ? null : Math.floor(positive.reduce((sum, delay) => sum + delay, 0) / n),
      p95DelaySec: p95,
      watermarkSec: p95 === null ? null : p95 + 60,
    }
    return { key: windowed(route, start, start + HOUR), value }
  })
}

function delayOf(train: Train): number {
  return Math.floor((train.arrivedAt - train.scheduledAt) / 1000)
}

function statusOf(delaySec: number): string {
  if (delaySec <= 0) return 'on_time'
  if (delaySec <= 120) return 'minor_delay'
  if (delaySec <= 300) return 'delay'
  return 'major_delay'
}

function busiest(entries: readonly Tap[]): string {
  const counts = new Map<string, number>()
  for (const { station } of entries) counts.set(station, (counts.get(station) ?? 0) + 1)
  let best = ''
  for (const [station, n] of counts) {
    const most = counts.get(best) ?? 0
    if (n > most || (n === most && station < best)) best = station
  }
  return best
}

/** Start of the hour or day in India that holds this time. */
function startOf(time: number, size: number): number {
  return Math.floor((time + INDIA) / size) * size - INDIA
}

function hourInMumbai(time: number): number {
  return Math.floor((time + INDIA) / HOUR) % 24
}

function windowed(key: string, start: number, end: number) {
  return { key, window: { start, end } }
}

function put<K, T>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}
