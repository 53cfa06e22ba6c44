import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, StreamsBuilder, stores, watermarks } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { VersionedModel } from './versioned-model.ts'

const serde = { key: serdes.string(), value: serdes.string() }
const runs = Number(process.env['RUNS'] ?? 60)

interface Put {
  readonly key: string
  readonly value: string | null
  readonly at: number
  /** Of the look-up that follows, relative to the newest time. */
  readonly ago: number
}

/** Times go forth, and every third put is for an earlier time. */
const puts = (most: number) =>
  fc
    .array(
      fc.oneof(
        {
          weight: 12,
          arbitrary: fc.record({
            key: fc.constantFrom('a', 'b'),
            gone: fc.integer({ min: 0, max: 4 }),
            forth: fc.nat(most),
            back: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(most * 30)),
            ago: fc.nat(most * 40),
          }),
        },
        fc.constantFrom('checkpoint' as const, 'restore' as const),
      ),
      { maxLength: 120, size: 'max' },
    )
    .map((found) => {
      let now = 5000
      return found.map((step, i): Put | 'checkpoint' | 'restore' => {
        if (typeof step === 'string') return step
        now += step.forth
        return { key: step.key, value: step.gone === 0 ? null : `v${i}`, at: now - step.back, ago: now - step.ago }
      })
    })

const shape = fc.record({
  steps: fc.oneof(puts(2), puts(20)),
  history: fc.constantFrom(1, 10, 64, 500),
  cacheBytes: fc.constantFrom(0, 1 << 20),
})

describe('versioned stores', () => {
  it('know what held when, as a model does that keeps everything', () => {
    const handle = (history: number) => stores.versioned('rows', { ...serde, history })
    fc.assert(
      fc.property(shape, ({ steps, history, cacheBytes }) => {
        const builder = new StreamsBuilder()
        const rows = builder.addStateStore(handle(history))
        const source = { ...serde, tombstones: 'keep' } as const
        builder
          .stream('puts', source)
          .process<string, string>(
            (ctx) => ({
              process(value, key, { timestamp }) {
                if (value === null) ctx.store(rows).delete(key as string, timestamp)
                else ctx.store(rows).put(key as string, value, timestamp)
              },
            }),
            { stores: [rows] },
          )
          .to('none', serde)
        const topology = builder.build()
        let driver = new TopologyTestDriver(topology, { cacheBytes })
        const model = new VersionedModel(history)
        for (const step of steps) {
          if (typeof step === 'string') {
            const restore = driver.checkpoint()
            if (step === 'restore') driver = new TopologyTestDriver(topology, { cacheBytes, restore })
            continue
          }
          const { key, value, at, ago } = step
          driver.input('puts').send(value, { key, timestamp: at })
          model.put(key, value, at)
          const store = driver.store(rows)
          for (const one of ['a', 'b']) {
            assert.equal(store.get(one), model.get(one))
            assert.equal(store.get(one, { asOf: at }), model.asOf(one, at))
            assert.equal(store.get(one, { asOf: ago }), model.asOf(one, ago))
          }
        }
      }),
      { numRuns: runs },
    )
  })

  it('of a table: joins look up as of the record; what is told of the past goes to streams only', () => {
    fc.assert(
      fc.property(shape, fc.boolean(), ({ steps, history, cacheBytes }, derived) => {
        const builder = new StreamsBuilder()
        const store = { name: 'rows', kind: 'versioned', history } as const
        const source = builder.table('puts', { ...serde, store })
        const table = derived ? source.mapValues((v) => `${v}!`).filter((v) => !v.includes('3')) : source
        const seen = (v: string | undefined) => {
          if (!derived || v === undefined) return v
          return v.includes('3') ? undefined : `${v}!`
        }
        builder
          .stream('asked', { ...serde, nullKeys: 'drop' })
          .leftJoin(table, (left, row) => `${left}-${row}`)
          .to('answers', serde)
        table.toStream().to('changes', serde)
        table.filter(() => true, { store: 'present' })
        const topology = builder.build()
        let driver = new TopologyTestDriver(topology, { cacheBytes })
        const model = new VersionedModel(history)
        const present = new Map<string, string>()
        for (const step of steps) {
          if (typeof step === 'string') {
            const restore = driver.checkpoint()
            if (step === 'restore') driver = new TopologyTestDriver(topology, { cacheBytes, restore })
            continue
          }
          const { key, value, at, ago } = step
          driver.input('puts').send(value, { key, timestamp: at })
          const latest = model.put(key, value, at)
          const changes = driver.output('changes').readAll()
          const row = seen(value ?? undefined)
          if (latest === undefined) assert.equal(changes.length, 0)
          if (row !== undefined && latest !== undefined)
            assert.deepEqual(
              changes.map((change) => [change.value, change.timestamp]),
              [[row, at]],
            )
          if (latest && row === undefined) present.delete(key)
          else if (latest) present.set(key, row as string)
          assert.deepEqual(new Map(driver.store('present').all()), new Map([...present].sort()))
          driver.input('asked').send('x', { key, timestamp: ago })
          const [answer] = driver.output<string, string>('answers').readAll()
          assert.equal(answer?.value, `x-${seen(model.asOf(key, ago)) ?? null}`)
        }
      }),
      { numRuns: runs },
    )
  })

  it('joined with grace: records wait until the table has told of their time', () => {
    fc.assert(
      fc.property(
        shape,
        fc.constantFrom(0, 3, 20),
        fc.constantFrom(0, 5),
        fc.boolean(),
        ({ steps, cacheBytes }, grace, bound, inner) => {
          const builder = new StreamsBuilder()
          const watermark = watermarks.boundedOutOfOrderness(bound)
          const store = { name: 'rows', kind: 'versioned', history: 1e6 } as const
          const table = builder.table('puts', { ...serde, store, watermark })
          const asked = builder.stream('asked', { ...serde, watermark })
          const joiner = (left: string, row: string | null) => `${left}-${row}`
          const joined = inner ? asked.join(table, joiner, { grace }) : asked.leftJoin(table, joiner, { grace })
          joined.to('answers', serde)
          const topology = builder.build()
          let driver = new TopologyTestDriver(topology, { cacheBytes })
          const model = new VersionedModel(1e6)
          const found: string[] = []
          const expected: string[] = []
          let waiting: { key: string; value: string; ts: number }[] = []
          const highest = { puts: Number.NEGATIVE_INFINITY, asked: Number.NEGATIVE_INFINITY }
          let w = Number.NEGATIVE_INFINITY
          const answer = ({ key, value, ts }: (typeof waiting)[number]) => {
            const row = model.asOf(key, ts)
            if (row !== undefined || !inner) expected.push(`${ts} ${value}-${row ?? null}`)
          }
          const advance = (to: number) => {
            w = Math.max(w, to)
            const due = waiting.filter(({ ts }) => ts + grace <= w)
            waiting = waiting.filter(({ ts }) => ts + grace > w)
            due.sort((a, b) => a.ts - b.ts || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).forEach(answer)
          }
          const time = () => Math.min(highest.puts, highest.asked) - bound - 1
          const take = () => {
            for (const { value, timestamp } of driver.output('answers').readAll()) found.push(`${timestamp} ${value}`)
          }
          for (const [i, step] of steps.entries()) {
            if (typeof step === 'string') {
              take()
              const restore = driver.checkpoint()
              if (step === 'restore') driver = new TopologyTestDriver(topology, { cacheBytes, restore })
              continue
            }
            const { key, value, at, ago } = step
            driver.input('puts').send(value, { key, timestamp: at })
            model.put(key, value, at)
            highest.puts = Math.max(highest.puts, at)
            advance(time())
            driver.input('asked').send(`x${i}`, { key, timestamp: ago })
            const record = { key, value: `x${i}`, ts: ago }
            if (ago + grace <= w) answer(record)
            else waiting.push(record)
            highest.asked = Math.max(highest.asked, ago)
            advance(time())
          }
          driver.end()
          take()
          advance(Number.POSITIVE_INFINITY)
          assert.deepEqual(found, expected)
        },
      ),
      { numRuns: runs },
    )
  })
})
