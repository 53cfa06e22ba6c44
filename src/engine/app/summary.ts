import type { EngineReport } from './engine.ts'

export interface RunSummary {
  /** Records read from topics. */
  readonly recordsIn: number
  /** Records written to topics. */
  readonly recordsOut: number
  /** By step and reason: 'orders.null-key', 'orders.invalid' (could not be read), 'paid.failed' (its function threw). */
  readonly dropped: Readonly<Record<string, number>>
  /** By step: (record, window) pairs, and records, that came too late. */
  readonly late: Readonly<Record<string, number>>
  readonly epochs: number
  readonly elapsedMs: number
}

export function summaryOf(report: EngineReport | undefined, elapsedMs: number): RunSummary {
  const dropped: Record<string, number> = {}
  const late: Record<string, number> = {}
  for (const [name, n] of report?.counters ?? []) {
    if (n === 0) continue
    // what could not be read, and what user code threw for
    if (name.endsWith('.invalid') || name.endsWith('.failed')) dropped[name] = n
    const at = name.lastIndexOf('.dropped.')
    if (at < 0) continue
    if (name.endsWith('.dropped.late')) late[name.slice(0, at)] = n
    else dropped[`${name.slice(0, at)}.${name.slice(at + '.dropped.'.length)}`] = n
  }
  return {
    recordsIn: report?.recordsIn ?? 0,
    recordsOut: report?.recordsOut ?? 0,
    dropped,
    late,
    epochs: report?.epochs ?? 0,
    elapsedMs,
  }
}
