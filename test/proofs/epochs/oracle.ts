import assert from 'node:assert/strict'
import { type Database, taskName } from './database.ts'
import { nextKey, route, WINDOW } from './task.ts'
import type { Output, Setup, SourceRecord } from './types.ts'

interface Expected {
  /** For each task and key, the ids from each source partition in their order. */
  readonly perSource: Map<string, number[]>
  /** For each task, key and window start, its ids in ascending order. */
  readonly windows: Map<string, number[]>
}

const push = <K>(map: Map<K, number[]>, key: K, id: number): void => {
  map.set(key, [...(map.get(key) ?? []), id])
}

/** What the job must output, computed without tasks, channels or epochs. */
function expected(setup: Setup): Expected {
  const perSource = new Map<string, number[]>()
  const windows = new Map<string, number[]>()
  setup.sources.forEach((records, source) => {
    for (const { ts, key: first, id } of records as readonly SourceRecord[]) {
      let key = first
      for (let stage = 0; stage < setup.stages; stage++) {
        if (stage > 0) key = nextKey(stage - 1, key)
        const task = taskName(stage, stage === 0 ? source : route(key, setup.partitions))
        push(perSource, `${task} ${key} ${source}`, id)
        push(windows, `${task} ${key} ${Math.floor(ts / WINDOW) * WINDOW}`, id)
      }
    }
  })
  return { perSource, windows }
}

const ascending = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b)
const sorted = (map: Map<string, number[]>): [string, number[]][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/**
 * The committed output is that of a run without faults: per key each record once, in its source's order, counted
 * 1, 2, 3...; each window closes once and whole. `idleness`: records may be late, but each only once.
 */
export function checkOutcome(setup: Setup, db: Database, idleness: boolean): void {
  const want = expected(setup)
  const perSource = new Map<string, number[]>()
  const windows = new Map<string, number[]>()
  const counts = new Map<string, number>()
  const sourceOf = new Map(setup.sources.flatMap((records, source) => records.map(({ id }) => [id, source] as const)))
  for (const each of db.output) {
    if (each.kind === 'update') {
      const key = `${each.task} ${each.key}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      assert.equal(each.n, counts.get(key), `the count of ${key}`)
      // Order per source and key holds along one path; the last repartition merges paths.
      push(perSource, `${key} ${sourceOf.get(each.id)}`, each.id)
    } else if (each.kind === 'late') {
      assert.ok(idleness, `late without a cause: ${JSON.stringify(each)}`)
      push(windows, `${each.task} ${each.key} ${each.start}`, each.id)
    } else {
      const key = `${each.task} ${each.key} ${each.start}`
      if (!idleness) assert.ok(!windows.has(key), `window ${key} closes twice`)
      for (const id of each.ids) push(windows, key, id)
    }
  }
  for (const [key, ids] of perSource) if (key.startsWith('2.')) perSource.set(key, ascending(ids))
  for (const [key, ids] of want.perSource) if (key.startsWith('2.')) want.perSource.set(key, ascending(ids))
  assert.deepEqual(sorted(perSource), sorted(want.perSource))
  for (const map of [windows, want.windows]) for (const [key, ids] of map) map.set(key, ascending(ids))
  assert.deepEqual(sorted(windows), sorted(want.windows))
  checkCloseOrder(db.output)
}

/** Windows of a task close in order of time. */
function checkCloseOrder(output: readonly Output[]): void {
  const last = new Map<string, number>()
  for (const each of output) {
    if (each.kind !== 'close') continue
    assert.ok(each.start >= (last.get(each.task) ?? 0), `${each.task} closes ${each.start} too late`)
    last.set(each.task, each.start)
  }
}
