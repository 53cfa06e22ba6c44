import { clockInIndia } from '../lib/india.ts'
import { descending, type OutputRow, type Outputs, values, type WindowedKey, windowRows } from '../lib/rows.ts'
import { byFrequency, countIn, type Tally } from '../lib/tally.ts'
import { bar, type Cell, type Column, grouped, paint, type Style, table } from '../lib/terminal.ts'
import type { Alert } from './alerts.ts'
import type { BufferCommand, QualityCommand } from './commands.ts'
import { FINAL, QUALITIES, phaseAt } from './match.ts'
import { type ByRegion, REGIONS, type Routing } from './regions.ts'

/** Of the bar of a live line. */
const FULL_HOUSE = 60_000_000

interface Minute {
  readonly concurrent: number
  readonly peak: number
  readonly qualities: Tally
}

/** The evening in six tables, from the rows that the job has put out. */
export function report(outputs: Outputs, style: Style): string {
  return [
    milestones(outputs, style),
    audience(outputs, style),
    load(outputs, style),
    qualities(outputs, style),
    worst(outputs, style),
    commands(outputs, style),
  ].join('\n')
}

/** A line a minute of the final, and one an alert that somebody has to act on. */
export function liveLine(topic: string, { key, value }: OutputRow, style: Style): string | undefined {
  if (topic === 'hotstar-alerts') {
    const alert = value as Alert
    if (alert.type === 'CDN_INVESTIGATE') return undefined
    const { type, at, ...facts } = alert
    return paint(`${clockInIndia(at)}  ${type} ${Object.values(facts).map(textOf).join(' ')}`, 'yellow', style)
  }
  const { key: contentId, window } = key as WindowedKey
  if (contentId !== FINAL) return undefined
  const { concurrent } = value as Minute
  const drawn = paint(bar(concurrent / FULL_HOUSE, 30), 'cyan', style)
  return `${clockInIndia(window.end)}  ${phaseAt(window.start).padEnd(14)}  ${grouped(concurrent).padStart(12)}  ${drawn}`.trimEnd()
}

const textOf = (fact: unknown): string => (typeof fact === 'number' ? grouped(fact) : String(fact))

function alertsOf<T extends Alert['type']>(outputs: Outputs, type: T): Extract<Alert, { type: T }>[] {
  return values<Alert>(outputs, 'hotstar-alerts').filter((alert) => alert.type === type) as Extract<
    Alert,
    { type: T }
  >[]
}

function milestones(outputs: Outputs, style: Style): string {
  const reached = alertsOf(outputs, 'MILESTONE').filter(({ contentId }) => contentId === FINAL)
  const shown = reached.filter(({ viewers }) => viewers % 10_000_000 === 0 || viewers === 1_000_000)
  const rows = shown
    .toSorted((a, b) => a.viewers - b.viewers)
    .map(({ viewers, at }): Cell[] => [grouped(viewers), clockInIndia(at), phaseAt(at - 1)])
  const columns: Column[] = [{ title: 'viewers', align: 'right' }, { title: 'at (IST)' }, { title: 'phase' }]
  return table(`Milestones of the final: ${reached.length}`, columns, rows, style)
}

function audience(outputs: Outputs, style: Style): string {
  const last = new Map(windowRows<Minute>(outputs, 'hotstar-minutes').map((row) => [row.key, row]))
  const rows = [...last].map(([contentId, { value }]): Cell[] => [
    contentId,
    grouped(value.concurrent),
    { text: grouped(value.peak), colour: 'green' },
  ])
  const columns: Column[] = [
    { title: 'content' },
    { title: 'at the end', align: 'right' },
    { title: 'peak', align: 'right' },
  ]
  return table('Viewers', columns, rows, style)
}

function load(outputs: Outputs, style: Style): string {
  type Load = Routing & { readonly demand: ByRegion }
  const total = ({ demand }: Load): number => REGIONS.reduce((sum, region) => sum + demand[region], 0)
  const [busiest] = windowRows<Load>(outputs, 'hotstar-regions').toSorted((a, b) => total(b.value) - total(a.value))
  if (busiest === undefined) return table('Regions', [], [], style)
  const { demand, assigned, spilled, unplaced } = busiest.value
  const rows = REGIONS.map((region): Cell[] => [
    region,
    grouped(demand[region]),
    grouped(assigned[region]),
    spilled
      .filter(({ from }) => from === region)
      .map(({ to, viewers }) => `${to} ${grouped(viewers)}`)
      .join(', '),
  ])
  const columns: Column[] = [
    { title: 'region' },
    { title: 'demand', align: 'right' },
    { title: 'assigned', align: 'right' },
    { title: 'spilled to' },
  ]
  const at = clockInIndia(busiest.window.end)
  return table(
    `Regions at the busiest minute, ${at}; ${grouped(unplaced)} viewers without a place`,
    columns,
    rows,
    style,
  )
}

function qualities(outputs: Outputs, style: Style): string {
  const sums: Tally = {}
  for (const { qualities } of values<Minute>(outputs, 'hotstar-minutes')) {
    for (const [name, n] of Object.entries(qualities)) sums[name] = (sums[name] ?? 0) + n
  }
  const total = Object.values(sums).reduce((sum, n) => sum + n, 0)
  const rows = QUALITIES.filter((name) => sums[name] !== undefined).map((name): Cell[] => [
    name,
    `${((100 * (sums[name] as number)) / total).toFixed(1)} %`,
    (sums[name] as number) / total,
  ])
  return table(
    'Quality of events',
    [{ title: 'quality' }, { title: 'share', align: 'right' }, { title: '', bar: true }],
    rows,
    style,
  )
}

function worst(outputs: Outputs, style: Style): string {
  type Window = {
    readonly changes: number
    readonly drops: number
    readonly lowBuffer: number
    readonly emergency: number
  }
  const rows = windowRows<Window>(outputs, 'hotstar-quality')
    .filter(({ value }) => value.changes > 0)
    .sort(
      descending(
        ({ value }) => value.drops / value.changes,
        ({ key, window }) => `${key} ${window.start}`,
      ),
    )
    .slice(0, 5)
    .map(({ key, window, value }): Cell[] => [
      key,
      clockInIndia(window.start),
      grouped(value.changes),
      { text: `${Math.floor((100 * value.drops) / value.changes)} %`, colour: 'red' },
      grouped(value.lowBuffer),
      grouped(value.emergency),
    ])
  const columns: Column[] = [
    { title: 'region' },
    { title: 'from' },
    { title: 'changes', align: 'right' },
    { title: 'drops', align: 'right' },
    { title: 'low buffer', align: 'right' },
    { title: 'emergencies', align: 'right' },
  ]
  return table('Worst five minutes of a region', columns, rows, style)
}

function commands(outputs: Outputs, style: Style): string {
  const counts: Tally = {}
  for (const { action } of values<QualityCommand | BufferCommand>(outputs, 'hotstar-commands')) countIn(counts, action)
  const rows = byFrequency(counts).map((action): Cell[] => [action, grouped(counts[action] as number)])
  return table('Commands to players', [{ title: 'action' }, { title: 'sent', align: 'right' }], rows, style)
}
