import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, type Topology } from '../../../../src/index.ts'
import { type DriverSnapshot, TopologyTestDriver } from '../../../../src/testing/index.ts'
import { numbers, topologyOf } from '../topologies.ts'

const out = { key: serdes.string(), value: serdes.number() }

/** Answers when it is told to, and in any order. */
class Service {
  private open: { n: number; resolve(n: number): void; reject(error: unknown): void }[] = []
  running = 0
  most = 0

  readonly call = (n: number, _key: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<number>((resolve, reject) => {
      this.running++
      this.most = Math.max(this.most, this.running)
      const one = { n, resolve, reject }
      this.open.push(one)
      signal.addEventListener('abort', () => this.settle(this.open.indexOf(one), false))
    })

  get size(): number {
    return this.open.length
  }

  settle(i: number, well: boolean): void {
    const [one] = i < 0 ? [] : this.open.splice(i, 1)
    if (one === undefined) return
    this.running--
    if (well) one.resolve(one.n * 10)
    else one.reject(new Error('busy'))
  }

  /** The caller has gone. */
  forget(): void {
    this.open = []
    this.running = 0
  }
}

interface Sent {
  readonly n: number
  readonly key: string
  readonly timestamp: number
}
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), at: fc.nat(2), back: fc.nat(9) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom('answer' as const, 'fail' as const),
        at: fc.nat(20),
        back: fc.nat(0),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('checkpoint' as const, 'crash' as const, 'restore' as const),
        at: fc.nat(0),
        back: fc.nat(0),
      }),
    },
  ),
  { maxLength: 50, size: 'max' },
)
const options = fc.record({
  ordered: fc.constantFrom<'key' | 'all' | false>('key', 'all', false),
  concurrency: fc.constantFrom(1, 3, 64),
  moved: fc.boolean(),
})

/** Lets promises that are settled be heard of, and pauses before another attempt pass. */
async function heard(driver: TopologyTestDriver): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    driver.advanceWallClock(1000)
  }
}

async function play(topology: Topology, service: Service, all: readonly { kind: string; at: number; back: number }[]) {
  const sent: Sent[] = []
  const found: Sent[] = []
  let driver = new TopologyTestDriver(topology, { startTime: 1000 })
  let since: Sent[] = []
  let snapshot: DriverSnapshot | undefined
  const send = ({ n, key, timestamp }: Sent) => driver.input('in0').send(n, { key, timestamp })
  const take = () => {
    for (const { key, value, timestamp } of driver.output<string, number>('out').readAll())
      found.push({ n: value / 10, key, timestamp })
  }
  for (const [i, { kind, at, back }] of all.entries()) {
    if (kind === 'send') {
      const one = { n: i, key: 'abc'[at] as string, timestamp: 100 + i - back }
      sent.push(one)
      since.push(one)
      send(one)
    } else if (kind === 'answer' || kind === 'fail') {
      if (service.size > 0) service.settle(at % service.size, kind === 'answer')
    } else if (kind === 'checkpoint') {
      take()
      snapshot = driver.checkpoint()
      since = []
    } else {
      service.forget()
      if (kind === 'crash') driver.crash()
      else driver = new TopologyTestDriver(topology, { startTime: 1000, ...(snapshot && { restore: snapshot }) })
      driver.advanceWallClock(0)
      since.forEach(send)
    }
    await heard(driver)
  }
  driver.end()
  for (let quiet = 0; quiet < 3; quiet = service.size === 0 ? quiet + 1 : 0) {
    while (service.size > 0) service.settle(0, true)
    await heard(driver)
  }
  take()
  return { sent, found }
}

describe('mapAsync, held to a model', () => {
  it('answers each record once, in the order asked for, whatever fails, crashes, and comes when', async () => {
    await fc.assert(
      fc.asyncProperty(steps, options, async (all, { ordered, concurrency, moved }) => {
        const service = new Service()
        const topology = topologyOf((builder) => {
          const source = builder.stream('in0', numbers)
          const stream = moved
            ? source.selectKey((_, key) => key as string, { key: serdes.string() }).repartition()
            : source
          const retry = { attempts: 1000, backoff: 10, maxBackoff: 500 }
          stream.mapAsync(service.call, { ordered, concurrency, retry }).to('out', out)
        })
        const { sent, found } = await play(topology, service, all)
        const byN = (rows: readonly Sent[]) => [...rows].sort((a, b) => a.n - b.n)
        assert.deepEqual(byN(found), byN(sent))
        assert.ok(service.most <= concurrency, `${service.most} at a time`)
        if (ordered === 'all') assert.deepEqual(found, sent)
        if (ordered !== 'key') return
        for (const key of 'abc') {
          const of = (rows: readonly Sent[]) => rows.filter((row) => row.key === key)
          assert.deepEqual(of(found), of(sent))
        }
      }),
      { numRuns: Number(process.env['RUNS'] ?? 60) },
    )
  })
})
