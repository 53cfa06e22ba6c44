import { serdes, StreamsBuilder, type Topology, type WatermarkStrategy, watermarks } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

export const text = { key: serdes.string(), value: serdes.string() }
export type Record = readonly [timestamp: number, key?: string | null, value?: string | null, topic?: string]

/** Each record with the W that it is processed at. */
export function watching(watermark?: WatermarkStrategy<never>, options: object = {}): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { ...text, ...(watermark === undefined ? {} : { watermark: watermark as never }), ...options })
    .process<string, string>((ctx) => ({
      process: (v, _, { timestamp }) => ctx.forward(`${timestamp}@${ctx.watermark}`, `${v}`),
    }))
    .to('out', text)
  return builder.build()
}

export interface Windowing {
  readonly frame: object
  readonly emit?: unknown
  readonly bound?: number
}

/** Counts by key and window; results as `key start..end count @ timestamp`, late ones as `late timestamp`. */
export function counting({ frame, emit = 'close', bound = 0 }: Windowing): Topology {
  const builder = new StreamsBuilder()
  const watermark = watermarks.boundedOutOfOrderness(bound)
  builder
    .stream('in', { ...text, watermark })
    .groupByKey()
    .windowedBy(frame as never)
    .emit(emit as never)
    .lateTo(((late: { mapValues(fn: (...args: never[]) => string): { to(topic: string, o: object): void } }) =>
      late
        .mapValues((_v: never, _k: never, { timestamp }: { timestamp: number }) => `late ${timestamp}`)
        .to('out', text)) as never)
    .count()
    .toStream()
    .map((n, { key, window }) => [key, `${key} ${window.start}..${window.end} ${n}`] as const)
    .to('out', text)
  return builder.build()
}

export function run(topology: Topology, records: readonly Record[], end = false): string[] {
  using driver = new TopologyTestDriver(topology)
  for (const [timestamp, key = 'a', value = 'v', topic = 'in'] of records)
    driver.input(topic).send(value, { key, timestamp })
  if (end) driver.end()
  return driver
    .output<string, string>('out')
    .readAll()
    .map(({ value, timestamp }) => (value.includes('..') ? `${value} @ ${timestamp}` : value))
}
