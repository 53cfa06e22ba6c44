import { clockInIndia, dateInIndia } from '../lib/india.ts'
import { type Outputs, values, windowRows } from '../lib/rows.ts'
import { type Cell, type Colour, type Column, grouped, type Style, table } from '../lib/terminal.ts'

const HOUR = 3_600_000

/** The day in tables, from the rows that the job has put out. */
export function report(outputs: Outputs, style: Style): string {
  return [
    hours(outputs, style),
    journeys(outputs, style),
    board(outputs, style),
    trainHours(outputs, style),
    lateTaps(outputs, style),
    lateTrains(outputs, style),
  ].join('\n')
}

const CLASS_COLOURS: Record<string, Colour> = { PEAK: 'red', BUSY: 'yellow', NORMAL: 'green', QUIET: 'dim' }
const TRENDS: Record<string, string> = { rising: '↗ rising', falling: '↘ falling', stable: '→ stable' }

function hours(outputs: Outputs, style: Style): string {
  type Hour = { passengers: number; class: string; busiest: string }
  const hourly = windowRows<Hour>(outputs, 'local-hourly')
  const trends = new Map(
    windowRows<{ trend: string }>(outputs, 'local-rolling').map(({ window, value }) => [window.end, value.trend]),
  )
  const most = Math.max(1, ...hourly.map(({ value }) => value.passengers))
  const rows = hourly.map(({ window, value }): Cell[] => [
    dateInIndia(window.start),
    `${clockInIndia(window.start)}-${clockInIndia(window.end)}`,
    grouped(value.passengers),
    value.passengers / most,
    { text: value.class, colour: CLASS_COLOURS[value.class] ?? 'dim' },
    TRENDS[trends.get(window.end) ?? ''] ?? '',
    value.busiest,
  ])
  const columns: Column[] = [
    { title: 'date' },
    { title: 'hour' },
    { title: 'passengers', align: 'right' },
    { title: '', bar: true },
    { title: 'class' },
    { title: '3 h trend' },
    { title: 'busiest' },
  ]
  return table('The day', columns, rows, style)
}

function journeys(outputs: Outputs, style: Style): string {
  type Journey = { pattern: string; durationMin: number | null; transfers: number }
  const all = values<Journey>(outputs, 'local-journeys')
  const patterns = [...new Set(all.map(({ pattern }) => pattern))].sort()
  const rows = patterns.map((pattern): Cell[] => {
    const own = all.filter((journey) => journey.pattern === pattern)
    const minutes = own.flatMap(({ durationMin }) => durationMin ?? [])
    const total = minutes.reduce((sum, duration) => sum + duration, 0)
    const transfers = own.reduce((sum, journey) => sum + journey.transfers, 0)
    const average = minutes.length === 0 ? '-' : String(Math.floor(total / minutes.length))
    return [pattern, grouped(own.length), own.length / all.length, average, grouped(transfers)]
  })
  const columns: Column[] = [
    { title: 'pattern' },
    { title: 'journeys', align: 'right' },
    { title: '', bar: true },
    { title: 'avg min', align: 'right' },
    { title: 'transfers', align: 'right' },
  ]
  return table('Journeys', columns, rows, style)
}

interface BoardRow {
  readonly trainId: string
  readonly scheduledAt: number
  readonly arrivedAt: number
  readonly delaySec: number
  readonly status: string
  readonly outOfOrder: boolean
}

/** The last trains of the first route, in the order of the timetable, with their place in the order of arrival beside it. */
function board(outputs: Outputs, style: Style): string {
  const route = (outputs['local-board'] ?? []).map(({ key }) => key as string).sort()[0]
  const last = (outputs['local-board'] ?? [])
    .filter(({ key }) => key === route)
    .slice(-10)
    .map(({ value }) => value as BoardRow)
  const arrivals = last.toSorted((a, b) => a.arrivedAt - b.arrivedAt)
  const rows = last.map((train): Cell[] => [
    clockInIndia(train.scheduledAt),
    train.trainId,
    clockInIndia(train.arrivedAt),
    String(arrivals.indexOf(train) + 1),
    String(train.delaySec),
    train.status,
    train.outOfOrder ? { text: '◀ overtaken', colour: 'yellow' } : '',
  ])
  const columns: Column[] = [
    { title: 'scheduled' },
    { title: 'train' },
    { title: 'arrived' },
    { title: 'came as', align: 'right' },
    { title: 'delay s', align: 'right' },
    { title: 'status' },
    { title: '' },
  ]
  return table(`The board${route === undefined ? '' : ` of ${route}`}`, columns, rows, style)
}

function trainHours(outputs: Outputs, style: Style): string {
  type TrainHour = { trains: number; onTime: number; p95DelaySec: number | null; watermarkSec: number | null }
  const windows = windowRows<TrainHour>(outputs, 'local-train-hours')
  const newest = windows.at(-1)?.window.start ?? 0
  const rows = windows
    .filter(({ window }) => window.start > newest - 4 * HOUR)
    .map(({ key, window, value }): Cell[] => [
      clockInIndia(window.start),
      key,
      grouped(value.trains),
      grouped(value.onTime),
      value.p95DelaySec === null ? '-' : String(value.p95DelaySec),
      value.watermarkSec === null ? '-' : String(value.watermarkSec),
    ])
  const columns: Column[] = [
    { title: 'hour' },
    { title: 'route' },
    { title: 'trains', align: 'right' },
    { title: 'on time', align: 'right' },
    { title: 'p95 s', align: 'right' },
    { title: 'watermark s', align: 'right' },
  ]
  return table('Train hours, the last four', columns, rows, style)
}

function lateTaps(outputs: Outputs, style: Style): string {
  const late = values<{ tapId: string; station: string; timestamp: number }>(outputs, 'local-late')
  const rows = late
    .slice(0, 5)
    .map(({ tapId, station, timestamp }): Cell[] => [
      tapId,
      station,
      `${dateInIndia(timestamp)} ${clockInIndia(timestamp)}`,
    ])
  const columns: Column[] = [{ title: 'tap' }, { title: 'station' }, { title: 'time' }]
  return table(`Late taps: ${grouped(late.length)}`, columns, rows, style)
}

function lateTrains(outputs: Outputs, style: Style): string {
  type Alert = { type: string; trainId: string; route: string; scheduledAt: number; delaySec: number }
  const late = values<Alert>(outputs, 'local-alerts').filter(({ type }) => type === 'DEFINITELY_LATE')
  const rows = late
    .slice(0, 5)
    .map(({ trainId, route, scheduledAt, delaySec }): Cell[] => [
      trainId,
      route,
      `${dateInIndia(scheduledAt)} ${clockInIndia(scheduledAt)}`,
      String(delaySec),
    ])
  const columns: Column[] = [
    { title: 'train' },
    { title: 'route' },
    { title: 'scheduled' },
    { title: 'delay s', align: 'right' },
  ]
  return table(`Definitely late trains: ${grouped(late.length)}`, columns, rows, style)
}
