import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { type DriverOptions, TopologyTestDriver } from '../../../../src/testing/index.ts'

interface Sent {
  readonly topic: 'left' | 'right'
  readonly key: string
  /** Of the left: what it follows, and a number; null deletes. */
  readonly value: { readonly follows: string | null; readonly n: number } | null
  readonly timestamp: number
}
type Step = Sent | 'checkpoint' | 'crash' | 'restore'
interface Joined {
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
}

const text = serdes.string()
const rows = serdes.json<{ follows: string | null; n: number }>()
/** More of them: JOIN_RUNS=2000. */
const runs = Number(process.env['RUNS'] ?? 60)

function topologyOf(how: 'inner' | 'left'): Topology {
  const builder = new StreamsBuilder()
  const left = builder.table('left', { key: text, value: rows })
  const right = builder.table('right', { key: text, value: rows })
  type Row = { n: number }
  const joiner = (l: Row, r: Row | null) => `${l.n}-${r?.n ?? null}`
  const find = (row: { follows: string | null }) => row.follows
  const joined =
    how === 'inner' ? left.join(right, find, joiner) : left.leftJoin(right, find, joiner, { store: 'kept' })
  joined.toStream().to('out', { key: text, value: text })
  // what a row was before is known behind the join
  joined
    .groupBy((value) => [value.endsWith('-null') ? 'alone' : 'met', value])
    .count({ store: 'counts' })
    .toStream()
    .to('counts', { key: text, value: serdes.number() })
  return builder.build()
}

const leftRow = fc.record({ follows: fc.constantFrom('a', 'b', 'c', null, null), n: fc.nat(99) })
const step: fc.Arbitrary<Sent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      topic: fc.constant('left' as const),
      key: fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5'),
      value: fc.option(leftRow, { freq: 6 }),
      timestamp: fc.nat(100),
    }),
  },
  fc.record({
    topic: fc.constant('right' as const),
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.option(fc.record({ follows: fc.constant(null), n: fc.nat(99) }), { freq: 4 }),
    timestamp: fc.nat(100),
  }),
)
const steps = fc.array(
  fc.oneof(
    { weight: 15, arbitrary: step },
    fc.constantFrom('checkpoint' as const, 'crash' as const, 'restore' as const),
  ),
  { maxLength: 80, size: 'max' },
)

/** Two maps, looked at as a whole after each change. */
class Model {
  readonly out: Joined[] = []
  readonly result = new Map<string, string>()
  private readonly left = new Map<string, Sent>()
  private readonly right = new Map<string, Sent>()
  /** What each result was made with: its time counts when the left row goes. */
  private readonly lastRight = new Map<string, Sent>()
  private readonly how: 'inner' | 'left'

  constructor(how: 'inner' | 'left') {
    this.how = how
  }

  send(sent: Sent): void {
    const { topic, key } = sent
    if (topic === 'left') {
      this.put(this.left, sent)
      this.look(key, sent, sent)
      return
    }
    const old = this.right.has(key)
    this.put(this.right, sent)
    if (!old && sent.value === null && this.how === 'inner') return
    for (const [at, row] of [...this.left].sort(([a], [b]) => (a < b ? -1 : 1)))
      if (row.value?.follows === key) this.look(at, sent, row)
  }

  private put(table: Map<string, Sent>, sent: Sent): void {
    if (sent.value === null) table.delete(sent.key)
    else table.set(sent.key, sent)
  }

  private look(key: string, cause: Sent, row: Sent): void {
    const left = this.left.get(key)
    const followed = (left ?? row).value?.follows
    const right = followed === null || followed === undefined ? undefined : this.right.get(followed)
    const value = left === undefined || (right === undefined && this.how === 'inner') ? null : result(left, right)
    const was = this.result.has(key)
    const known = this.lastRight.get(key)
    if (value === null) this.result.delete(key)
    else this.result.set(key, value)
    const other = left === undefined ? known : right
    this.lastRight.delete(key)
    if (left !== undefined && right !== undefined) this.lastRight.set(key, right)
    if (value === null && !was) return
    const timestamp = Math.max(cause.timestamp, left?.timestamp ?? 0, other?.timestamp ?? 0)
    this.out.push({ key, value, timestamp })
  }

  get met(): number {
    return [...this.result.values()].filter((value) => !value.endsWith('-null')).length
  }
}

const result = (left: Sent, right: Sent | undefined): string => `${left.value?.n}-${right?.value?.n ?? null}`

/** Sends the steps, and again what a crash lost. */
function run(
  topology: Topology,
  all: readonly Step[],
  options: DriverOptions,
): { driver: TopologyTestDriver; out: Joined[] } {
  let driver = new TopologyTestDriver(topology, options)
  const out: Joined[] = []
  const take = () => {
    for (const { key, value, timestamp } of driver.output<string, string | null>('out').readAll())
      out.push({ key, value, timestamp })
  }
  const send = (records: readonly Sent[]) => {
    for (let i = 0; i < records.length; ) {
      const { topic } = records[i] as Sent
      let to = i
      while (to < records.length && records[to]?.topic === topic) to++
      driver.input(topic).sendAll(records.slice(i, to).map(({ key, value, timestamp }) => ({ key, value, timestamp })))
      i = to
    }
  }
  let since: Sent[] = []
  let waiting: Sent[] = []
  for (const step of [...all, 'checkpoint' as const]) {
    if (typeof step !== 'string') {
      since.push(step)
      waiting.push(step)
      continue
    }
    send(waiting)
    waiting = []
    if (step === 'crash') {
      driver.crash()
      send(since)
      continue
    }
    take()
    const restore = driver.checkpoint()
    since = []
    if (step === 'restore') driver = new TopologyTestDriver(topology, { ...options, restore })
  }
  return { driver, out }
}

const how = fc.constantFrom('inner' as const, 'left' as const)
const cacheBytes = fc.constantFrom(0, 1 << 20)

describe('foreign-key joins', () => {
  it('give what two maps give, through crashes and restores', () => {
    fc.assert(
      fc.property(how, steps, cacheBytes, (how, all, cacheBytes) => {
        const { driver, out } = run(topologyOf(how), all, { cacheBytes })
        const model = new Model(how)
        for (const step of all) if (typeof step !== 'string') model.send(step)
        assert.deepEqual(out, model.out)
        if (how === 'left')
          assert.deepEqual(
            [...driver.store('kept').all()],
            [...model.result].sort(([a], [b]) => (a < b ? -1 : 1)),
          )
        assert.equal(driver.store('counts').get('met') ?? 0, model.met)
      }),
      { numRuns: runs },
    )
  })

  it('keep the answer to the last row, of answers that come before their rows', () => {
    using driver = new TopologyTestDriver(topologyOf('left'), { partitions: 4, batchSize: 4 })
    const rows = [null, 'a', 'c'].map((follows, i) => ({ key: 'k4', value: { follows, n: i }, timestamp: 3 - i }))
    driver.input('left').sendAll(rows)
    assert.deepEqual([...driver.store('kept').all()], [['k4', '2-null']])
  })

  it('end with the same rows, whatever overtakes what', () => {
    const options = fc.record({ batchSize: fc.constantFrom(1, 4, 1000), partitions: fc.integer({ min: 1, max: 4 }) })
    fc.assert(
      fc.property(how, steps, options, cacheBytes, (how, all, options, cacheBytes) => {
        const { driver, out } = run(topologyOf(how), all, { ...options, cacheBytes })
        const model = new Model(how)
        for (const step of all) if (typeof step !== 'string') model.send(step)
        const last = new Map<string, string>()
        for (const { key, value } of out) {
          if (value === null) last.delete(key)
          else last.set(key, value)
        }
        assert.deepEqual(new Map([...last].sort()), new Map([...model.result].sort()))
        const counts = ['met', 'alone'].map((group) => driver.store('counts').get(group) ?? 0)
        assert.deepEqual(counts, [model.met, model.result.size - model.met])
      }),
      { numRuns: runs },
    )
  })
})
