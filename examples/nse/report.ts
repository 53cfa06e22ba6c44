import { clockInIndia } from '../lib/india.ts'
import { descending, lastRows, type OutputRow, type Outputs, values } from '../lib/rows.ts'
import { type Cell, type Colour, type Column, grouped, paint, type Style, table } from '../lib/terminal.ts'
import { PATTERNS, type PatternName, RECIPIENTS, type Signal, type SymbolCounts } from './signals.ts'

const COLOURS: Readonly<Record<PatternName, Colour>> = {
  bull_run: 'green',
  bear_signal: 'red',
  insider_trading: 'yellow',
  momentum_trading: 'cyan',
  market_manipulation: 'red',
}

const TITLES: Readonly<Record<PatternName, string>> = {
  bull_run: 'bull run',
  bear_signal: 'bear',
  insider_trading: 'insider',
  momentum_trading: 'momentum',
  market_manipulation: 'manipulation',
}

/** A match, as it comes: when, for whom, what, how sure. */
export function signalLine(topic: string, { value }: OutputRow, style: Style): string {
  const { pattern, symbol, confidence, from, to } = value as Signal
  const seconds = `${grouped(Math.round((to - from) / 1000))} s`
  return [
    clockInIndia(to),
    topic.slice('nse-'.length).padEnd(13),
    paint(symbol.padEnd(10), 'bold', style),
    paint(pattern.padEnd(19), COLOURS[pattern], style),
    `${String(confidence).padStart(3)} %`,
    paint(`in ${seconds}`, 'dim', style),
  ].join('  ')
}

/** The session in three tables, from the rows that the job has put out. */
export function report(outputs: Outputs, style: Style): string {
  const late = grouped(values(outputs, 'nse-late').length)
  return [symbols(outputs, style), recipients(outputs, style), surest(outputs, style), `Late events: ${late}`].join(
    '\n',
  )
}

function symbols(outputs: Outputs, style: Style): string {
  const sorted = lastRows<SymbolCounts>(outputs, 'nse-symbols').sort(
    descending(
      ([, counts]) => counts.total,
      ([symbol]) => symbol,
    ),
  )
  const most = sorted[0]?.[1].total ?? 1
  const rows = sorted.map(([symbol, counts]): Cell[] => [
    symbol,
    ...PATTERNS.map((pattern) => (counts[pattern] === 0 ? '·' : grouped(counts[pattern]))),
    grouped(counts.total),
    counts.total / most,
  ])
  const columns: Column[] = [
    { title: 'symbol' },
    ...PATTERNS.map((pattern): Column => ({ title: TITLES[pattern], align: 'right' })),
    { title: 'total', align: 'right' },
    { title: '', bar: true },
  ]
  return table('Matches by symbol', columns, rows, style)
}

function recipients(outputs: Outputs, style: Style): string {
  const topics = [...new Set(Object.values(RECIPIENTS))]
  const counts = topics.map((topic) => [topic, values(outputs, topic).length] as const)
  const most = Math.max(1, ...counts.map(([, n]) => n))
  const rows = counts.map(([topic, n]): Cell[] => [topic.slice('nse-'.length), grouped(n), n / most])
  const told = rows.filter(([, n]) => n !== '0')
  return table(
    'Who was told',
    [{ title: 'recipient' }, { title: 'matches', align: 'right' }, { title: '', bar: true }],
    told,
    style,
  )
}

function surest(outputs: Outputs, style: Style): string {
  const rows = [...new Set(Object.values(RECIPIENTS))]
    .flatMap((topic) => values<Signal>(outputs, topic))
    .sort((a, b) => b.confidence - a.confidence || a.from - b.from || (a.symbol < b.symbol ? -1 : 1))
    .slice(0, 10)
    .map(({ pattern, symbol, confidence, from, to, events }): Cell[] => [
      { text: `${confidence} %`, colour: 'green' },
      symbol,
      pattern,
      clockInIndia(from),
      `${grouped(Math.round((to - from) / 1000))} s`,
      events.join(' '),
    ])
  const columns: Column[] = [
    { title: 'sure', align: 'right' },
    { title: 'symbol' },
    { title: 'pattern' },
    { title: 'from (IST)' },
    { title: 'length', align: 'right' },
    { title: 'events' },
  ]
  return table('Highest confidence', columns, rows, style)
}
