import assert from 'node:assert/strict'
import { serdes, StreamsBuilder, watermarks } from '../../../src/index.ts'
import type { Topology } from '../../../src/index.ts'
import { type DriverSnapshot, TopologyTestDriver } from '../../../src/testing/index.ts'
import {
  allIds,
  idSet,
  idsByName,
  multiset,
  patternOf,
  skipOf,
  type Vector,
  type VectorEvent,
  vectors,
} from './vectors.ts'

type Row =
  | { readonly match: Record<string, VectorEvent[]> }
  | { readonly partial: Record<string, VectorEvent[]>; readonly ts: number }

function topologyOf(vector: Vector): Topology {
  const { comparator, timeMode } = vector
  const sign = comparator?.order === 'desc' ? -1 : 1
  const field = (comparator?.field ?? 'price') as 'price'
  const builder = new StreamsBuilder()
  const timedOut = (partial: object, _key: unknown, ts: number) => ({ partial, ts })
  builder
    .stream('events', { key: serdes.json<unknown>(), value: serdes.json<VectorEvent>(), watermark: watermarks.none() })
    .match(patternOf(vector), {
      skip: skipOf(vector),
      time: timeMode === 'processing' ? 'processing' : 'event',
      store: 'runs',
      ...(comparator ? { orderBy: (a: VectorEvent, b: VectorEvent) => sign * (a[field] - b[field]) } : {}),
    })
    .late('late', { key: serdes.json(), value: serdes.json() })
    .select(
      (match: object) => ({ match }) as unknown,
      vector.handleTimeout === true || vector.expectedTimeouts ? { timedOut } : {},
    )
    .to('matches', { key: serdes.json(), value: serdes.json() })
  return builder.build()
}

/** Follows a script through `match` in the test driver. */
class Run {
  private readonly vector: Vector
  private readonly topology: Topology
  private driver: TopologyTestDriver
  private watermark = Number.NEGATIVE_INFINITY
  readonly rows: Row[] = []
  readonly late: number[] = []

  constructor(vector: Vector) {
    this.vector = vector
    this.topology = topologyOf(vector)
    this.driver = new TopologyTestDriver(this.topology)
  }

  step(command: Readonly<Record<string, unknown>>): void {
    if ('event' in command) this.event(this.vector.events.find((e) => e.id === command['event']) as VectorEvent)
    else if ('watermark' in command) this.moveWatermark(command['watermark'] as number | string)
    else if ('processingTime' in command) this.moveClock(command['processingTime'] as number)
    else if ('snapshotRestore' in command) this.restart()
    else assert.fail(`unknown command ${JSON.stringify(command)}`)
    this.rows.push(
      ...this.driver
        .output('matches')
        .readAll()
        .map(({ value }) => value),
    )
    this.late.push(
      ...this.driver
        .output('late')
        .readAll()
        .map(({ value }) => value.id),
    )
  }

  /** Events that a partial match holds. */
  get retained(): number {
    const ids = new Set<number>()
    for (const [, partials] of this.driver.store('runs').all())
      for (const { events } of partials) for (const id of allIds(events)) ids.add(id)
    return ids.size + this.driver.store('runs').waiting
  }

  private event(event: VectorEvent): void {
    const { keyBy } = this.vector
    const key = keyBy === null || keyBy === undefined ? 'all' : Object.entries(event).find(([k]) => k === keyBy)?.[1]
    this.driver.input('events').send(event, { key, timestamp: event.ts })
  }

  private moveWatermark(to: number | string): void {
    if (to === 'MIN') return
    const at = to === 'MAX' ? Number.POSITIVE_INFINITY : (to as number)
    if (at <= this.watermark) return
    this.watermark = at
    this.driver.advanceWatermark('events', at)
  }

  private moveClock(to: number): void {
    this.driver.advanceWallClock(to - this.now)
    this.now = to
  }
  private now = 0

  private restart(): void {
    const snapshot: DriverSnapshot = this.driver.checkpoint()
    this.driver.close()
    this.driver = new TopologyTestDriver(this.topology, { restore: snapshot })
  }
}

const spell = (ids: Readonly<Record<string, readonly number[]>>): string =>
  JSON.stringify(Object.entries(ids).toSorted(([a], [b]) => (a < b ? -1 : 1)))

describe('conformance with Flink CEP: match', () => {
  for (const vector of vectors.vectors.filter((v) => v.kind === 'operator')) {
    it(vector.id, () => {
      const run = new Run(vector)
      for (const command of vector.script ?? []) run.step(command)
      const matches = run.rows.flatMap((row) => ('match' in row ? [row.match] : [])).map(allIds)
      const timeouts = run.rows.flatMap((row) => ('partial' in row ? [row] : []))
      if (vector.expected !== undefined) {
        assert.deepEqual(multiset(matches), multiset(vector.expected))
        if (vector.flags?.['matchOrderAsserted'] === true)
          assert.deepEqual(matches.map(idSet), vector.expected.map(idSet))
      }
      if (vector.expectedMatchCount !== undefined) assert.equal(matches.length, vector.expectedMatchCount)
      if (vector.expectedLate !== undefined) assert.deepEqual(run.late, vector.expectedLate)
      if (vector.expectedLateCount !== undefined) assert.equal(run.late.length, vector.expectedLateCount)
      if (vector.expectedRetainedEvents !== undefined) assert.equal(run.retained, vector.expectedRetainedEvents)
      if (vector.expectedTimeouts !== undefined) {
        const told = (all: readonly { match: Readonly<Record<string, readonly number[]>>; ts: number }[]) =>
          all.map(({ match, ts }) => `${ts} ${spell(match)}`).toSorted()
        assert.deepEqual(
          told(timeouts.map(({ partial, ts }) => ({ match: idsByName(partial), ts }))),
          told(vector.expectedTimeouts),
        )
      }
    })
  }
})
