import assert from 'node:assert/strict'
import { type DhaaraError, serdes, StreamsBuilder, type Topology, watermarks, windows } from '../../../src/index.ts'
import type { TopologyTestDriver } from '../../../src/testing/index.ts'

export const text = { key: serdes.string(), value: serdes.string() }
export const coded = (code: string, pattern: RegExp) => (error: DhaaraError) => {
  assert.equal(error.code, code)
  assert.match(error.message, pattern)
  return true
}

export function echo(options: object = {}): Topology {
  const builder = new StreamsBuilder()
  builder.stream('in', { ...text, ...options }).to('out', text)
  return builder.build()
}

export function counts(watermark = watermarks.monotonous()): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { ...text, watermark })
    .groupByKey()
    .windowedBy(windows.tumbling(10).noGrace())
    .emit('close')
    .lateTo('late')
    .count({ store: 'counts' })
    .toStream()
    .map((count, { key, window }) => [key, `${window.start}:${count}`] as const)
    .to('out', text)
  return builder.build()
}

export const values = (driver: TopologyTestDriver, topic = 'out') =>
  driver
    .output(topic)
    .readAll()
    .map(({ value }) => value)
