import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { type KStream, serdes, type Windows, windows } from '../../../../src/index.ts'
import { type DriverSnapshot, TopologyTestDriver } from '../../../../src/testing/index.ts'
import { numbers, topologyOf } from '../topologies.ts'

const size = 10
const gap = 7

interface Row {
  readonly key: string
  readonly start: number
  end: number
  count: number
}
type Kind = 'tumbling' | 'session'

/** Open windows, and what has come out of closed ones. */
class Model {
  readonly out: unknown[] = []
  private open: Row[] = []
  private readonly kind: Kind

  constructor(kind: Kind) {
    this.kind = kind
  }

  record(key: string, now: number): void {
    this.time(now)
    const own = this.open.find((row) => row.key === key && (this.kind === 'session' || row.start <= now))
    if (own === undefined) {
      const start = this.kind === 'session' ? now : now - (now % size)
      this.open.push({ key, start, end: this.kind === 'session' ? now : start + size, count: 1 })
      return
    }
    own.count++
    if (this.kind === 'session') own.end = now
  }

  time(now: number): void {
    const closeAt = ({ end }: Row) => (this.kind === 'session' ? end + gap + 1 : end)
    const due = this.open.filter((row) => closeAt(row) <= now)
    due.sort((a, b) => closeAt(a) - closeAt(b) || a.start - b.start || (a.key < b.key ? -1 : 1))
    for (const { key, start, end, count } of due)
      this.out.push([key, start, end, count, this.kind === 'session' ? end : end - 1])
    this.open = this.open.filter((row) => !due.includes(row))
  }

  copy(): Model {
    const copy = new Model(this.kind)
    copy.open = structuredClone(this.open)
    copy.out.push(...this.out)
    return copy
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'c').map((key) => ({ kind: 'send' as const, key })) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 25 }).map((ms) => ({ kind: 'tick' as const, ms })) },
    { weight: 1, arbitrary: fc.constantFrom('checkpoint', 'crash', 'restore').map((kind) => ({ kind }) as const) },
  ),
  { maxLength: 60, size: 'max' },
)

const topology = (kind: Kind, moved: boolean) =>
  topologyOf((builder) => {
    const source = builder.stream('in0', numbers) as KStream<string, number>
    const stream = moved ? source.selectKey((_, key) => key, { key: serdes.string() }) : source
    const clock = { clock: 'wall' } as const
    const of = kind === 'session' ? windows.session(gap, clock) : windows.tumbling(size, clock)
    stream
      .groupByKey()
      .windowedBy(of as Windows<'tumbling'>)
      .emit('close')
      .count()
      .toStream()
      .to('out', { key: serdes.windowed(serdes.string()), value: serdes.number() })
  })

describe('windows over the wall clock, held to a model', () => {
  for (const kind of ['tumbling', 'session'] as const) {
    it(`${kind}: by the time of processing, through crashes and restores, with and without a repartition`, () => {
      fc.assert(
        fc.property(steps, fc.boolean(), (all, moved) => {
          const made = topology(kind, moved)
          let now = 1000
          let driver = new TopologyTestDriver(made, { startTime: now })
          let model = new Model(kind)
          let saved: { readonly model: Model; readonly at: number; readonly driver: DriverSnapshot | undefined } = {
            model: model.copy(),
            at: now,
            driver: undefined,
          }
          let since: string[] = []
          const found: unknown[] = []
          const take = () => {
            for (const { key, value, timestamp } of driver.output('out').readAll())
              found.push([key.key, key.window.start, key.window.end, value, timestamp])
          }
          const send = (key: string) => {
            // timestamps of records say nothing here
            driver.input('in0').send(1, { key, timestamp: 5_000_000 - now })
            model.record(key, now)
          }
          for (const step of all) {
            if (step.kind === 'send') {
              since.push(step.key)
              send(step.key)
            } else if (step.kind === 'tick') {
              now += step.ms
              driver.advanceWallClock(step.ms)
              model.time(now)
            } else if (step.kind === 'checkpoint') {
              take()
              saved = { model: model.copy(), at: now, driver: driver.checkpoint() }
              since = []
            } else {
              model = saved.model.copy()
              // both go back to the clock of the checkpoint
              const { driver: restore, at } = saved
              if (step.kind === 'crash') driver.crash()
              else driver = new TopologyTestDriver(made, { startTime: at, ...(restore && { restore }) })
              driver.advanceWallClock(now - at)
              model.time(now)
              since.forEach(send)
            }
          }
          driver.end()
          take()
          model.time(Number.POSITIVE_INFINITY)
          assert.deepEqual(found, model.out)
        }),
        { numRuns: Number(process.env['RUNS'] ?? 100) },
      )
    })
  }
})
