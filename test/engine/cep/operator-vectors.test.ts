import assert from 'node:assert/strict'
import { Packr } from 'msgpackr'
import { compileMatcher, type PartRow, SortedMatcher } from '../../../src/engine/cep/index.ts'
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

const packr = new Packr({ structuredClone: true })

/** An operator over SortedMatchers, one a key: watermark, lateness, clock, checkpoints. */
class Operator {
  readonly matches: number[][] = []
  readonly timeouts: { match: Record<string, number[]>; ts: number }[] = []
  readonly late: number[] = []
  private readonly vector: Vector
  private readonly compiled: ReturnType<typeof compileMatcher>
  private readonly keys = new Map<unknown, SortedMatcher<VectorEvent>>()
  private watermark = Number.NEGATIVE_INFINITY
  private now = 0

  constructor(vector: Vector) {
    this.vector = vector
    const timeouts = vector.handleTimeout === true || vector.expectedTimeouts !== undefined
    this.compiled = compileMatcher(patternOf(vector), { skip: skipOf(vector), timeouts })
  }

  step(command: Readonly<Record<string, unknown>>): void {
    if ('event' in command) this.event(this.vector.events.find((e) => e.id === command['event']) as VectorEvent)
    else if ('watermark' in command) this.moveWatermark(command['watermark'] as number | string)
    else if ('processingTime' in command) this.moveClock(command['processingTime'] as number)
    else if ('snapshotRestore' in command) this.restart()
    else assert.fail(`unknown command ${JSON.stringify(command)}`)
  }

  retained(): number {
    return [...this.keys.values()].reduce((sum, key) => sum + key.matcher.retainedEvents + key.pending, 0)
  }

  private event(event: VectorEvent): void {
    const { keyBy, timeMode, comparator } = this.vector
    const key = keyBy === null || keyBy === undefined ? null : Object.entries(event).find(([k]) => k === keyBy)?.[1]
    let matcher = this.keys.get(key)
    if (matcher === undefined) {
      matcher = this.make()
      this.keys.set(key, matcher)
    }
    if (timeMode === 'event') {
      if (!matcher.add(event, event.ts, this.watermark)) this.late.push(event.id)
    } else if (comparator) assert.ok(matcher.add(event, this.now, this.now - 1))
    else matcher.matcher.process(event, this.now)
  }

  private moveWatermark(to: number | string): void {
    const at = to === 'MAX' ? Number.POSITIVE_INFINITY : to === 'MIN' ? Number.NEGATIVE_INFINITY : (to as number)
    if (at <= this.watermark) return
    this.watermark = at
    for (const matcher of this.keys.values()) if (matcher.nextDue() <= at) matcher.advance(at)
  }

  private moveClock(to: number): void {
    this.now = to
    for (const matcher of this.keys.values()) matcher.advance(this.vector.comparator ? to - 1 : to)
  }

  private make(): SortedMatcher<VectorEvent> {
    const { comparator } = this.vector
    const sign = comparator?.order === 'desc' ? -1 : 1
    const field = (comparator?.field ?? 'price') as 'price'
    return new SortedMatcher<VectorEvent>(
      this.compiled,
      {
        onMatch: (_pattern, match) => this.matches.push(allIds(match)),
        onTimeout: (_pattern, partial, ts) => this.timeouts.push({ match: idsByName(partial), ts }),
      },
      comparator ? (a, b) => sign * (a[field] - b[field]) : undefined,
    )
  }

  private restart(): void {
    for (const [key, old] of this.keys) {
      const stored = packr.pack([...old.parts()])
      const made = this.make()
      made.load(new Map(packr.unpack(stored) as [string, PartRow][]))
      this.keys.set(key, made)
    }
  }
}

const spell = (ids: Readonly<Record<string, readonly number[]>>): string =>
  JSON.stringify(Object.entries(ids).toSorted(([a], [b]) => (a < b ? -1 : 1)))

describe('conformance with Flink CEP: sorted by event time', () => {
  for (const vector of vectors.vectors.filter((v) => v.kind === 'operator')) {
    it(vector.id, () => {
      const operator = new Operator(vector)
      for (const command of vector.script ?? []) operator.step(command)
      if (vector.expected !== undefined) {
        assert.deepEqual(multiset(operator.matches), multiset(vector.expected))
        if (vector.flags?.['matchOrderAsserted'] === true) {
          assert.deepEqual(operator.matches.map(idSet), vector.expected.map(idSet))
        }
      }
      if (vector.expectedMatchCount !== undefined) assert.equal(operator.matches.length, vector.expectedMatchCount)
      if (vector.expectedLate !== undefined) assert.deepEqual(operator.late, vector.expectedLate)
      if (vector.expectedLateCount !== undefined) assert.equal(operator.late.length, vector.expectedLateCount)
      if (vector.expectedRetainedEvents !== undefined) assert.equal(operator.retained(), vector.expectedRetainedEvents)
      if (vector.expectedTimeouts !== undefined) {
        const told = (all: readonly { match: Readonly<Record<string, readonly number[]>>; ts: number }[]) =>
          all.map(({ match, ts }) => `${ts} ${spell(match)}`).toSorted()
        assert.deepEqual(told(operator.timeouts), told(vector.expectedTimeouts))
      }
    })
  }
})
