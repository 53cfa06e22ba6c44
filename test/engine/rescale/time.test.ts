import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { partitionOf } from '../../../src/connectors/broker/partitioner.ts'
import { restoreSavepoint } from '../../../src/engine/app/state/savepoint.ts'
import {
  embeddedBroker,
  every,
  joinWindows,
  type KStream,
  pattern,
  serdes,
  StreamsBuilder,
  untilWindowCloses,
  watermarks,
  windows,
} from '../../../src/index.ts'
import { read, type Sent, send } from '../app/run.ts'
import { assertJourney } from './journey.ts'
import { type Case, keySerdes } from './topologies.ts'
import { savepointOf, started } from './world.ts'

type Source = KStream<string, number>
interface Result {
  to(topic: string, opts: object): void
}

const key = serdes.string()
const value = serdes.json()
const windowed = serdes.windowed(key)
/** W is where the newest record is: each task has its own, and one without records has none. */
const moving = {
  key,
  value: serdes.json<number>(),
  watermark: watermarks.monotonous().withoutIdleness(),
  nullKeys: 'drop',
} as const

const inWindows = (make: (source: Source) => Result): Case => ({
  keys: 'windowed',
  inputs: ['in'],
  topology: () => {
    const builder = new StreamsBuilder()
    make(builder.stream('in', moving)).to('out', { key: windowed, value })
    return builder.build()
  },
})
/** Between two ticks tasks show what has changed, which is another thing for other tasks. */
const last = (made: Case): Case => ({ ...made, last: true })
const joined = (make: (left: Source, right: Source) => Result): Case => ({
  keys: 'text',
  inputs: ['in', 'other'],
  topology: () => {
    const builder = new StreamsBuilder()
    make(builder.stream('in', moving), builder.stream('other', moving)).to('out', { key, value })
    return builder.build()
  },
})

const kept = { store: { retention: '1d' } } as const
const tumbling = windows.tumbling(50).grace(10)
const hopping = windows.hopping(60, { advance: 20 }).noGrace()

/** What goes out by time, once. */
const cases: Readonly<Record<string, Case>> = {
  closed: inWindows((in_) => in_.groupByKey().windowedBy(tumbling).emit('close').count().toStream()),
  'closed and kept': inWindows((in_) => in_.groupByKey().windowedBy(tumbling).emit('close').count(kept).toStream()),
  'on time': inWindows((in_) => in_.groupByKey().windowedBy(tumbling).emit('onTime').count().toStream()),
  'now and then': last(
    inWindows((in_) => in_.groupByKey().windowedBy(tumbling).emit(every(30)).count(kept).toStream()),
  ),
  panes: inWindows((in_) => in_.groupByKey().windowedBy(hopping).emit('close').count().toStream()),
  'panes, kept': inWindows((in_) => in_.groupByKey().windowedBy(hopping).emit('close').count(kept).toStream()),
  'panes now and then': last(
    inWindows((in_) => in_.groupByKey().windowedBy(hopping).emit(every(30)).count().toStream()),
  ),
  'panes behind a change of key': inWindows((in_) =>
    in_
      .groupBy((n) => `d${n % 7}`)
      .windowedBy(hopping)
      .emit('close')
      .count()
      .toStream(),
  ),
  sliding: inWindows((in_) =>
    in_.groupByKey().windowedBy(windows.sliding(20).noGrace()).emit('close').count(kept).toStream(),
  ),
  sessions: inWindows((in_) =>
    in_.groupByKey().windowedBy(windows.session(15).noGrace()).emit('close').count(kept).toStream(),
  ),
  'sessions on time': inWindows((in_) =>
    in_.groupByKey().windowedBy(windows.session(15).grace(20)).emit('onTime').count(kept).toStream(),
  ),
  suppressed: inWindows((in_) =>
    in_.groupByKey().windowedBy(tumbling).count(kept).suppress(untilWindowCloses()).toStream(),
  ),
  'left alone': joined((left, right) => left.outerJoin(right, (a, b) => [a, b], joinWindows.of(4).noGrace())),
  'waiting for a table': joined((left, right) =>
    left.leftJoin(right.toTable({ store: { kind: 'versioned', history: '1d' } }), (a, b) => [a, b], { grace: 5 }),
  ),
  deduplicated: {
    keys: 'text',
    inputs: ['in'],
    topology: () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', moving)
        .deduplicate((n) => n % 3, { within: 40, keep: 'latest' })
        .to('out', { key, value })
      return builder.build()
    },
  },
  matched: {
    keys: 'text',
    inputs: ['in'],
    topology: () => {
      const builder = new StreamsBuilder()
      const rising = pattern<number>()
        .begin('even')
        .where((n) => n % 2 === 0)
        .followedBy('odd')
        .where((n) => n % 2 === 1)
        .within(60)
      builder
        .stream('in', moving)
        .groupByKey()
        .match(rising)
        .select(({ even, odd }) => [even[0], odd[0]])
        .to('out', { key, value })
      return builder.build()
    },
  },
}

const count = 160
/** None is late, wherever it goes. Now and then only two keys come for a while: the tasks of others stand still. */
function records(seed: number, input: number): Sent[] {
  let state = seed + 1
  const random = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff
  return Array.from({ length: count }, (_, i) => {
    const keys = Math.floor(i / 40) % 2 === 1 ? 2 : 12
    return { key: `k${(seed + Math.floor(random() * keys)) % 12}`, value: i, timestamp: 1_000_000 + i * 4 + input }
  })
}

const partitions = fc.integer({ min: 1, max: 6 })
const journey = fc.record({
  name: fc.constantFrom(...Object.keys(cases)),
  seed: fc.nat(1_000_000),
  legs: fc
    .array(fc.record({ partitions, until: fc.nat(count) }), { minLength: 1, maxLength: 3 })
    .map((all) => all.toSorted((a, b) => a.until - b.until)),
  last: partitions,
})

describe('time that goes on with other partitions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dhaara-rescaled-time-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('shows nothing twice that has gone out by time, however far each task was', async () => {
    await fc.assert(
      fc.asyncProperty(journey, ({ name, seed, legs, last }) =>
        assertJourney(
          cases[name] as Case,
          (input) => records(seed + 7 * input, input),
          [...legs, { partitions: last, until: count }],
          folder,
        ),
      ),
      { numRuns: Number(process.env['RUNS'] ?? 30), interruptAfterTimeLimit: 100_000 },
    )
  }).timeout(120_000)

  it('lets nothing into a window that has closed for its key, and all else into those that have not', async () => {
    const topology = () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', moving)
        .groupByKey()
        .windowedBy(windows.tumbling(50).noGrace())
        .emit('close')
        .count()
        .toStream()
        .to('out', { key: windowed, value })
      return builder.build()
    }
    const one: Case = { keys: 'windowed', inputs: ['in'], topology }
    const at = (name: string, timestamp: number): Sent => ({ key: name, value: 0, timestamp })
    const in_ = (partition: number) =>
      Array.from({ length: 20 }, (_, i) => `k${i}`).filter(
        (name) => partitionOf(Buffer.from(name), 3) === partition,
      )[0] as string
    // its task has come far; this one's stands; that of a third one has seen nothing
    const [far, near, none] = [in_(0), in_(1), in_(2)]
    const old = embeddedBroker({ partitions: 3 })
    await send(old, 'in', [at(far, 10), at(far, 500), at(near, 10)])
    const path = join(folder, 'late')
    await savepointOf(one, old, path)
    const other = embeddedBroker({ partitions: 2 })
    const lease = await openEmbedded(other)
    await restoreSavepoint(lease.backend, 'test', path, 'start')
    await lease.release()
    await send(other, 'in', [at(far, 20), at(near, 20), at(none, 20), at(far, 510)])
    const app = await started(topology(), other)
    app.endInputs()
    await app.completed
    const found = [
      ...(await read(old, 'out', keySerdes['windowed'])),
      ...(await read(other, 'out', keySerdes['windowed'])),
    ]
    const counts = found.map(({ key: row, value: n }) => {
      const { key: name, window } = row as { key: string; window: { start: number } }
      return `${name} ${window.start} ${n}`
    })
    assert.deepEqual(counts.sort(), [`${far} 0 1`, `${far} 500 2`, `${near} 0 2`, `${none} 0 1`].sort())
    for (const broker of [old, other]) await broker[Symbol.asyncDispose]()
  })
})
