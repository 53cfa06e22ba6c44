/** Generated events in an embedded log, kept between runs, and what the reference makes of them. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RowSink } from '../../harness/sink.ts'
import type { Outcome } from '../../harness/run.ts'
import type { NexmarkEvent } from './events.ts'
import { defaultParams, nexmarkGenerator } from './generator.ts'
import { writeEvents } from './job.ts'
import type { Query, Row } from './query.ts'
import { reference, siteOf } from './reference.ts'

/** The folder whose log has the first `count` events, and the query's side input. */
export async function logOf(cache: string, query: Query, count: number): Promise<string> {
  const dir = join(cache, `nexmark-${defaultParams.seed}-${count}${query.sideInput === undefined ? '' : '-side'}`)
  if (existsSync(dir)) return dir
  const growing = `${dir}.part`
  rmSync(growing, { recursive: true, force: true })
  mkdirSync(growing, { recursive: true })
  await writeEvents(growing, linesOf(count), query)
  renameSync(growing, dir)
  return dir
}

function* eventsOf(count: number): Generator<NexmarkEvent> {
  const next = nexmarkGenerator()
  for (let i = 0; i < count; i++) yield next()
}

function* linesOf(count: number): Generator<Uint8Array> {
  for (const event of eventsOf(count)) yield Buffer.from(JSON.stringify(event))
}

/** What the queries must give for the first `count` events; computed once. Without q12, whose rows depend on the clock. */
export function outcomesOf(cache: string, names: readonly string[], count: number): Record<string, Outcome> {
  const path = join(cache, `nexmark-${defaultParams.seed}-${count}.json`)
  const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Outcome>) : {}
  const missing = names.filter((name) => kept[name] === undefined && reference[name] !== undefined)
  if (missing.length === 0) return kept
  const site = siteOf(eventsOf(count))
  for (const name of missing) kept[name] = outcomeOf(reference[name]!(site))
  mkdirSync(cache, { recursive: true })
  writeFileSync(path, JSON.stringify(kept))
  return kept
}

/** Rows and a checksum that depends neither on their order nor on that of their columns. */
export function outcomeOf(rows: Iterable<Row>): Outcome {
  const sink = new RowSink()
  for (const row of rows) sink.text(JSON.stringify(Object.fromEntries(Object.entries(row).toSorted())))
  return sink.outcome()
}
