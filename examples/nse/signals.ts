import type { StockEvent } from './events.ts'

export const PATTERNS = [
  'bull_run',
  'bear_signal',
  'insider_trading',
  'momentum_trading',
  'market_manipulation',
] as const

export type PatternName = (typeof PATTERNS)[number]

/** A match, as those who must act get it. */
export interface Signal {
  readonly pattern: PatternName
  readonly symbol: string
  /** Ids, in the order of the pattern. */
  readonly events: readonly string[]
  /** Timestamps of the first and last event. */
  readonly from: number
  readonly to: number
  /** Hundredths. */
  readonly confidence: number
}

/** The topic of those who must act. */
export const RECIPIENTS: Readonly<Record<PatternName, string>> = {
  insider_trading: 'nse-sebi',
  market_manipulation: 'nse-surveillance',
  bull_run: 'nse-trading-desks',
  momentum_trading: 'nse-trading-desks',
  bear_signal: 'nse-risk',
}

/** The more events and the quicker they came, the surer. */
export function signal(pattern: PatternName, symbol: string, match: readonly StockEvent[]): Signal {
  const from = (match[0] as StockEvent).timestamp
  const to = (match.at(-1) as StockEvent).timestamp
  const quick = Math.max(0, 20 - Math.floor((to - from) / 6000))
  const insider = pattern === 'insider_trading' ? 20 : 0
  const confidence = Math.min(100, 50 + Math.min(10 * match.length, 30) + quick + insider)
  return { pattern, symbol, events: match.map(({ eventId }) => eventId), from, to, confidence }
}

/** How often each pattern was seen for a symbol. */
export type SymbolCounts = Record<PatternName | 'total', number>

export function newSymbol(): SymbolCounts {
  return { bull_run: 0, bear_signal: 0, insider_trading: 0, momentum_trading: 0, market_manipulation: 0, total: 0 }
}

export function addSignal(counts: SymbolCounts, { pattern }: Signal): SymbolCounts {
  counts[pattern]++
  counts.total++
  return counts
}
