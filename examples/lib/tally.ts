/** How often each name was seen. */
export type Tally = Record<string, number>

/** Counts a name, in place. */
export function countIn(tally: Tally, name: string): void {
  tally[name] = (tally[name] ?? 0) + 1
}

/** All names, the most frequent first; ties by name. */
export function byFrequency(tally: Readonly<Tally>): string[] {
  return Object.entries(tally)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([name]) => name)
}

/** The first of `byFrequency`, without sorting; null if nothing was counted. */
export function mostFrequent(tally: Readonly<Tally>): string | null {
  let best: string | null = null
  let most = 0
  for (const name in tally) {
    const n = tally[name] as number
    if (best === null || n > most || (n === most && name < best)) {
      best = name
      most = n
    }
  }
  return best
}

/** Adds a name to a sorted list of distinct names, in place. */
export function include(names: string[], name: string): void {
  if (names.includes(name)) return
  const at = names.findIndex((other) => name < other)
  names.splice(at < 0 ? names.length : at, 0, name)
}
