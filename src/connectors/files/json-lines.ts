import type { SinkBatch, SinkConnector, ValueSource } from '../../dsl/connect/index.ts'
import { type Serde, type Serializer, serdes, type StandardSchema } from '../../dsl/serdes/index.ts'
import { type ConnectorInfo, declare, object, oneOf, type OptionsOf } from '../options/index.ts'
import { FileSink } from './file-sink.ts'
import type { FilePosition } from './identity.ts'
import { fileSinkOptions, fileSourceOptions } from './options.ts'
import { readLines } from './read-lines.ts'

const sourceOptions = declare({
  ...fileSourceOptions,
  schema: object<StandardSchema<any>>(
    'a Standard Schema (zod, valibot, arktype …)',
    'What a value must be; what it refuses meets `onInvalid`.',
  ),
})
const sinkOptions = declare({
  ...fileSinkOptions,
  format: oneOf('What a line is: the value, or {"key", "value", "timestamp"}.', ['values', 'records'], 'values'),
})

export type JsonLinesSourceOptions<T> = Omit<OptionsOf<typeof sourceOptions>, 'schema'> & {
  readonly schema?: StandardSchema<T>
}
export type JsonLinesSinkOptions = OptionsOf<typeof sinkOptions>

/**
 * Reads files of JSON lines: a line is a value; empty ones are left out. A line that is no JSON meets `onInvalid`.
 *
 * @example builder.source('payments', jsonLinesSource<Payment>({ path: 'payments.jsonl', follow: true }), { timestamp: (p) => p.at })
 * @throws DhaaraError DHAARA_OPTION
 */
export function jsonLinesSource<T = unknown>(given: JsonLinesSourceOptions<T>): ValueSource<T, FilePosition> {
  const {
    path: paths,
    schema,
    ...options
  } = sourceOptions.read('jsonLinesSource', given as OptionsOf<typeof sourceOptions>)
  return {
    connector: 'jsonLines',
    partitions: paths.length,
    value: (schema === undefined ? serdes.json<T>() : serdes.json<T>(schema)) as Serde<T>,
    async *read(position, signal, task) {
      const path = paths[task.partition] as string
      for await (const { lines, position: behind, caughtUp } of readLines({ ...options, path }, position, signal, task))
        yield { values: lines.filter((line) => line.length > 0), position: behind, caughtUp }
    },
  }
}

/**
 * Writes JSON lines to a file, each committed record once: see {@link FileSink}.
 *
 * @example alerts.sink(jsonLinesSink({ path: 'alerts.jsonl' }), { name: 'alerts' })
 * @throws DhaaraError DHAARA_OPTION
 */
export function jsonLinesSink<K = any, V = any>(given: JsonLinesSinkOptions): SinkConnector<K, V> {
  const { batchRecords, format, ...options } = sinkOptions.read('jsonLinesSink', given)
  const encode = format === 'values' ? valueLines : recordLines
  return {
    connector: 'jsonLines',
    batchRecords,
    key: json,
    value: json,
    create: () => new FileSink('jsonLinesSink', { ...options, encode }),
  }
}

const json: Serializer<unknown> = serdes.json()
const lineBreak = Buffer.from('\n')
const nothing = Buffer.from('null')

function valueLines({ values }: SinkBatch<Uint8Array, Uint8Array>): Buffer {
  const parts: Uint8Array[] = []
  for (const value of values) parts.push(value ?? nothing, lineBreak)
  return Buffer.concat(parts)
}

function recordLines({ keys, values, timestamps }: SinkBatch<Uint8Array, Uint8Array>): Buffer {
  const parts: Uint8Array[] = []
  for (let i = 0; i < values.length; i++) {
    parts.push(Buffer.from('{"key":'), keys[i] ?? nothing, Buffer.from(',"value":'), values[i] ?? nothing)
    parts.push(Buffer.from(`,"timestamp":${timestamps[i]}}\n`))
  }
  return Buffer.concat(parts)
}

export const jsonLinesInfo: readonly ConnectorInfo[] = [
  {
    name: 'jsonLinesSource',
    role: 'source',
    about: 'Files of JSON lines: a value a line.',
    guarantee: 'Exactly once: a position is a file and a byte of it, found again under other names.',
    options: sourceOptions,
  },
  {
    name: 'jsonLinesSink',
    role: 'sink',
    about: 'Files of JSON lines.',
    guarantee: 'Exactly once: after a crash the file is cut to what was committed.',
    options: sinkOptions,
  },
]
