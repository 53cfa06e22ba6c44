import assert from 'node:assert/strict'

/** A line of an output topic. Timestamps are not compared. */
export interface Row {
  readonly key: unknown
  readonly value: unknown
}

/**
 * What two outputs must have in common: the last value of each key, one final row a window, all rows, or the rows of each
 * key in their order.
 */
export type Mode = 'last' | 'closed' | 'multiset' | 'sequence'

/** @throws AssertionError that shows the first rows that are missing, unexpected or different */
export function compare(topic: string, mode: Mode, expected: Iterable<Row>, actual: Iterable<Row>): void {
  const found = differences(mode, expected, actual)
  if (found.length === 0) return
  const shown = found.slice(0, 10).join('\n')
  const more = found.length > 10 ? `\n… and ${found.length - 10} more` : ''
  assert.fail(`${topic} (${mode}): ${found.length} differences\n${shown}${more}`)
}

/** One line a difference; none if the outputs agree. */
export function differences(mode: Mode, expected: Iterable<Row>, actual: Iterable<Row>): string[] {
  switch (mode) {
    case 'last':
      return compareByKey(lastOfKeys(expected), lastOfKeys(actual))
    case 'multiset':
      return compareByKey(countRows(expected), countRows(actual))
    case 'closed':
      return [...repeatedKeys(actual), ...compareByKey(countRows(expected), countRows(actual))]
    case 'sequence':
      return compareSequences(rowsOfKeys(expected), rowsOfKeys(actual))
  }
}

/** JSON with sorted properties: equal for equal values. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

function lastOfKeys(rows: Iterable<Row>): Map<string, string> {
  const last = new Map<string, string>()
  for (const { key, value } of rows) {
    if (value === null) last.delete(canonical(key))
    else last.set(canonical(key), canonical(value))
  }
  return last
}

function countRows(rows: Iterable<Row>): Map<string, string> {
  const counts = new Map<string, number>()
  for (const { key, value } of rows) {
    const row = `${canonical(key)} ${canonical(value)}`
    counts.set(row, (counts.get(row) ?? 0) + 1)
  }
  return new Map([...counts].map(([row, n]) => [row, `${n} times`]))
}

function rowsOfKeys(rows: Iterable<Row>): Map<string, string[]> {
  const lists = new Map<string, string[]>()
  for (const { key, value } of rows) {
    const list = lists.get(canonical(key))
    if (list === undefined) lists.set(canonical(key), [canonical(value)])
    else list.push(canonical(value))
  }
  return lists
}

function repeatedKeys(rows: Iterable<Row>): string[] {
  return [...rowsOfKeys(rows)]
    .filter(([, values]) => values.length > 1)
    .map(([key, values]) => `! ${key}: expected one final row, found ${values.length}`)
}

function compareByKey(expected: Map<string, string>, actual: Map<string, string>): string[] {
  const found: string[] = []
  for (const [key, value] of expected) {
    const other = actual.get(key)
    if (other === undefined) found.push(`- ${key}: expected ${value}, found nothing`)
    else if (other !== value) found.push(`! ${key}: expected ${value}, found ${other}`)
  }
  for (const [key, value] of actual) if (!expected.has(key)) found.push(`+ ${key}: expected nothing, found ${value}`)
  return found
}

function compareSequences(expected: Map<string, string[]>, actual: Map<string, string[]>): string[] {
  const found: string[] = []
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    const wanted = expected.get(key) ?? []
    const got = actual.get(key) ?? []
    const at = wanted.findIndex((value, i) => value !== got[i])
    const first = at < 0 ? wanted.length : at
    if (at >= 0 || got.length > wanted.length) {
      found.push(`! ${key} row ${first}: expected ${wanted[first] ?? 'no more'}, found ${got[first] ?? 'no more'}`)
    }
  }
  return found
}
