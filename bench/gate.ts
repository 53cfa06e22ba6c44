/**
 * `npm run bench:gate -- report.json [--baseline file]`: holds a report's ratios against a committed baseline. Rates differ from
 * machine to machine; ratios to a yardstick that ran in turn on the same machine hardly do. A ratio fails that is lower than the
 * baseline's by more than the noise of both: its interval of confidence lies below 1, and the fall is more than the larger spread.
 *
 *     npm run bench -- ceilings --runs 7 --json > report.json
 *     npm run bench:gate -- report.json
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Change, changesBetween, changesTable, readReport } from './compare.ts'
import { figureOf, nameOf, type ReportLine } from './harness/figures.ts'
import { spread } from './harness/statistics.ts'

export const committed = resolve(import.meta.dirname, 'results/baseline.jsonl')

export interface Verdict {
  readonly change: Change
  /** By how much a ratio may fall: the larger of both reports' spreads from run to run. */
  readonly noise: number
  readonly fails: boolean
}

/** Every ratio of the report that the baseline has too. */
export function verdicts(baseline: readonly ReportLine[], report: readonly ReportLine[]): Verdict[] {
  const isRatio = (line: ReportLine): boolean => figureOf(line)?.of === 'ratio'
  const before = new Map(baseline.filter(isRatio).map((line) => [nameOf(line), line]))
  return report.filter(isRatio).flatMap((line) => {
    const old = before.get(nameOf(line))
    const [change] = old === undefined ? [] : changesBetween([old], [line])
    if (old === undefined || change === undefined) return []
    const noise = Math.max(noiseOf(old), noiseOf(line))
    return [{ change, noise, fails: change.high < 1 && change.estimate < 1 - noise }]
  })
}

/** Half of the spread of the ratios, run by run: how far from its median one may be. */
const noiseOf = (line: ReportLine): number => spread(figureOf(line)!.values) / 2

/** @returns the exit code: 1 if a ratio fell or rows were wrong, 2 if there is nothing to hold against the baseline */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { baseline: { type: 'string', default: committed } },
  })
  const [path] = positionals
  if (path === undefined || positionals.length > 1)
    throw new RangeError('npm run bench:gate -- report.json [--baseline file]')
  const report = readReport(path)
  const found = verdicts(readReport(values.baseline), report)
  if (found.length === 0) {
    console.error(`${path} and ${values.baseline} have no ratio in common`)
    return 2
  }
  console.log(changesTable(found.map(({ change }) => change)))
  const fallen = found.filter(({ fails }) => fails)
  const wrong = report.filter(({ correct }) => correct === false)
  for (const { change, noise } of fallen)
    console.error(
      `${change.name} fell to ${change.estimate.toFixed(3)} of what it was; its noise is ${noise.toFixed(3)}`,
    )
  for (const line of wrong) console.error(`${nameOf(line)} gave wrong rows`)
  return fallen.length + wrong.length > 0 ? 1 : 0
}
