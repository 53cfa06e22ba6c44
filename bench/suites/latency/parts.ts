/** Where the time of a record goes between its producer and a reader of what was committed. */
import { LatencyHistogram } from '../../harness/latency-histogram.ts'

/** When a record was where, epoch ms with fractions, by the clock that all processes of a machine share. */
export interface Times {
  /** When it was to be sent, whether or not its sender was in time. */
  readonly due: number
  readonly sent: number
  /** By the topology's last step before the sink. */
  readonly applied: number
  readonly received: number
}

/** An epoch: its end, and when it was committed. */
export interface Commit {
  readonly sealed: number
  readonly committed: number
}

export interface PartMs {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** In the order of a record's way. */
export const partNames = ['load', 'source', 'epoch', 'commit', 'reader'] as const
export type Part = (typeof partNames)[number]
export type Parts = Readonly<Record<Part, PartMs>>

/**
 * Distributions of the parts of records' ways, each by itself: their p99s do not add up to that of the whole.
 *
 *     due ─ load ─▶ sent ─ source ─▶ applied ─ epoch ─▶ sealed ─ commit ─▶ committed ─ reader ─▶ received
 */
export function partsOf(records: readonly Times[], commits: readonly Commit[]): Parts {
  const parts = Object.fromEntries(partNames.map((name) => [name, new LatencyHistogram()])) as unknown as Record<
    Part,
    LatencyHistogram
  >
  for (const { due, sent, applied, received } of records) {
    const commit = firstFrom(commits, applied)
    parts.load.add(sent - due)
    parts.source.add(applied - sent)
    if (commit === undefined) continue
    parts.epoch.add(commit.sealed - applied)
    parts.commit.add(commit.committed - commit.sealed)
    parts.reader.add(received - commit.committed)
  }
  const of = (name: Part): PartMs => ({ p50: parts[name].at(50), p99: parts[name].at(99), max: parts[name].maxMs })
  return Object.fromEntries(partNames.map((name) => [name, of(name)])) as unknown as Parts
}

/** The first epoch that ended at that time or later. @param commits in the order of time */
function firstFrom(commits: readonly Commit[], time: number): Commit | undefined {
  let [from, to] = [0, commits.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((commits[middle] as Commit).sealed < time) from = middle + 1
    else to = middle
  }
  return commits[from]
}
