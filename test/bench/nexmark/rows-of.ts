import type { NexmarkEvent } from '../../../bench/suites/nexmark/events.ts'
import { eventsTopic, type Row, rowsTopic } from '../../../bench/suites/nexmark/query.ts'
import { queries } from '../../../bench/suites/nexmark/queries/index.ts'
import { StandingRows } from '../../../bench/suites/nexmark/rows.ts'
import { topologyOf } from '../../../bench/suites/nexmark/topology.ts'
import { watermarks } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

export interface RowsOptions {
  readonly partitions?: number
  /** Whether the events' times are within the 4 s that the queries wait; without, none is late. */
  readonly ordered: boolean
  /** Of a side input these rows alone; without, all. */
  readonly sideKeys?: ReadonlySet<number>
}

/** A query over events in a test driver that crashes half-way. */
export function rowsOf(
  name: string,
  events: readonly NexmarkEvent[],
  { partitions = 1, ordered, sideKeys }: RowsOptions,
): Row[] {
  const query = queries[name]!
  const topology = topologyOf(query, ordered ? undefined : watermarks.none())
  using driver = new TopologyTestDriver(topology, { partitions, batchSize: 97 })
  const side = query.sideInput
  if (side !== undefined) {
    const rows = side.values.map((value, key) => ({ value, key }))
    driver.input(side.topic).sendAll(sideKeys === undefined ? rows : rows.filter(({ key }) => sideKeys.has(key)))
  }
  const input = driver.input(eventsTopic)
  events.forEach((event, i) => {
    input.send(event)
    if (i === events.length >> 1) {
      driver.checkpoint()
      driver.crash()
    }
  })
  driver.end()
  const rows = new StandingRows(query)
  for (const { key, value } of driver.output(rowsTopic).readAll()) rows.add(JSON.stringify(key), value)
  return [...rows]
}

/** Rows as text with sorted columns, sorted. */
export const sortedRows = (rows: readonly Row[]): string[] =>
  rows.map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).toSorted()))).toSorted()
