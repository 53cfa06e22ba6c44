import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  serdes,
  StreamsBuilder,
  untilTimeLimit,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windows,
} from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

interface Sent {
  readonly key: string
  readonly value: string
  readonly ts: number
}
interface Row {
  readonly key: string
  readonly value: unknown
  readonly ts: number
}
interface Windowing {
  readonly start: number
  readonly end: number
}
interface Scenario {
  readonly test: string
  readonly cfg: { readonly suppress: string; readonly tableGroupByValueCount?: boolean; readonly window?: string }
  readonly steps: readonly (({ readonly in: string } & Sent) | { readonly expect: string; readonly records: Row[] })[]
}
interface Aligned {
  readonly window: string | { readonly kind: string; readonly args: string }
  readonly in: readonly Sent[]
}
interface Vectors {
  readonly suppressScenarios: readonly Scenario[]
  readonly slidingWindow: readonly (Aligned & {
    readonly test: string
    readonly expectedByWindowStart: Readonly<Record<string, Readonly<Record<string, readonly Omit<Row, 'key'>[]>>>>
  })[]
  readonly hoppingBasic: Aligned & Readonly<Record<'onWindowUpdate' | 'onWindowClose', readonly (Row & Windowing)[]>>
}

const file = process.env.KAFKA_WINDOW_VECTORS ?? new URL('../../../vectors/kafka-streams-windows.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors

const text = { key: serdes.string(), value: serdes.string(), nullKeys: 'drop' } as const
const emits = { onWindowUpdate: 'update', onWindowClose: 'close' } as const
const numbers = (of: string): number[] => Array.from(of.matchAll(/\d+/g), ([digits]) => Number(digits))

/** Java's `ofSizeAndGrace(ofMillis(2L), ofMillis(1L))`, or words: 'size 10 advance 5 grace 100'. */
function windowsOf(of: string): Windows<'tumbling' | 'hopping' | 'sliding' | 'session'> {
  const [first, ...rest] = numbers(of) as [number, number?, number?]
  const grace = rest.at(-1) ?? 0
  if (/Sliding|TimeDifference/.test(of)) return windows.sliding(first).grace(grace)
  if (/Session|Inactivity/.test(of)) return windows.session(first).grace(grace)
  if (rest.length === 2) return windows.hopping(first, { advance: rest[0] as number }).grace(grace)
  return windows.tumbling(first).grace(grace)
}

const asText = ({ key, window: { start, end } }: Windowed<string>): string => `[${key}@${start}/${end}]`

function policyOf(cfg: string): ReturnType<typeof untilTimeLimit> | ReturnType<typeof untilWindowCloses> {
  const budget = /maxRecords\((\d+)L?\)/.exec(cfg)
  const maxRecords = budget === null ? {} : { maxRecords: Number(budget[1]) }
  const shutDown = cfg.includes('shutDownWhenFull') ? ({ whenFull: 'shutDown' } as const) : {}
  if (cfg.startsWith('untilWindowCloses')) return untilWindowCloses({ ...maxRecords, ...shutDown })
  const limit = cfg.includes('MAX_VALUE') ? 1e12 : (numbers(cfg)[0] as number)
  return untilTimeLimit(limit, { ...maxRecords, ...shutDown })
}

function suppressed({ cfg }: Scenario): TopologyTestDriver {
  const builder = new StreamsBuilder()
  const policy = policyOf(cfg.suppress)
  if (cfg.window === undefined) {
    const counts = builder
      .table('input', { key: serdes.string(), value: serdes.string() })
      .groupBy((value, key) => [value, key], { key: serdes.string(), value: serdes.string() })
      .count()
    const out = { key: serdes.string(), value: serdes.number() }
    counts.toStream().to('output-raw', out)
    counts
      .suppress(policy as ReturnType<typeof untilTimeLimit>)
      .toStream()
      .to('output-suppressed', out)
  } else {
    const counts = builder.stream('input', text).groupByKey().windowedBy(windowsOf(cfg.window)).count()
    const out = { key: serdes.string(), value: serdes.number() }
    counts
      .toStream()
      .selectKey((_, key) => asText(key))
      .to('output-raw', out)
    counts
      .suppress(policy as ReturnType<typeof untilWindowCloses>)
      .toStream()
      .selectKey((_, key) => asText(key))
      .to('output-suppressed', out)
  }
  return new TopologyTestDriver(builder.build())
}

/** What comes out, record by record; a checkpoint and a crash after each input change nothing. */
function aggregated(input: readonly Sent[], of: string, emit: 'update' | 'close', crash: boolean): (Row & Windowing)[] {
  const builder = new StreamsBuilder()
  builder
    .stream('in', text)
    .groupByKey()
    .windowedBy(windowsOf(of))
    .emit(emit)
    .aggregate(
      () => '0',
      (aggregate, value) => `${aggregate}+${value}`,
      { merge: (left, right) => `${left}${right.slice(1)}` },
    )
    .toStream()
    .to('out', { key: serdes.windowed(serdes.string()), value: serdes.string() })
  const driver = new TopologyTestDriver(builder.build())
  for (const { key, value, ts } of input) {
    driver.input('in').send(value, { key, timestamp: ts })
    if (!crash) continue
    driver.checkpoint()
    driver.crash()
  }
  return driver
    .output<Windowed<string>, string>('out')
    .readAll()
    .map(({ key: { key, window }, value, timestamp }) => ({ key, ...window, value, ts: timestamp }))
}

describe("Kafka Streams' windows", () => {
  for (const scenario of vectors.suppressScenarios) {
    for (const crash of [false, true]) {
      it(`${scenario.test}${crash ? ', with crashes' : ''}`, () => {
        const driver = suppressed(scenario)
        for (const step of scenario.steps) {
          if ('in' in step) driver.input(step.in).send(step.value, { key: step.key, timestamp: step.ts })
          else {
            const rows = driver.output(step.expect).readAll()
            assert.deepEqual(
              rows.map(({ key, value, timestamp }) => ({ key, value, ts: timestamp })),
              step.records,
              step.expect,
            )
          }
          if (!crash) continue
          driver.checkpoint()
          driver.crash()
        }
      })
    }
  }

  for (const { test, window, in: input, expectedByWindowStart } of vectors.slidingWindow) {
    const of = typeof window === 'string' ? window : `${window.kind}(${window.args})`
    for (const [mode, expected] of Object.entries(expectedByWindowStart)) {
      for (const crash of [false, true]) {
        it(`${test}, ${mode}${crash ? ', with crashes' : ''}`, () => {
          const found: Record<string, { value: unknown; ts: number }[]> = {}
          for (const { start, value, ts } of aggregated(input, of, emits[mode as keyof typeof emits], crash)) {
            found[start] ??= []
            found[start].push({ value, ts })
          }
          assert.deepEqual(found, expected)
        })
      }
    }
  }

  for (const [mode, emit] of Object.entries(emits)) {
    const { in: input, window } = vectors.hoppingBasic
    for (const crash of [false, true]) {
      it(`hopping windows, ${mode}${crash ? ', with crashes' : ''}`, () => {
        const expected = vectors.hoppingBasic[mode as keyof typeof emits]
        assert.deepEqual(aggregated(input, window as string, emit, crash), expected)
      })
    }
  }
})
