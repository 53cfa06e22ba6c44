/** A query as a job on the embedded log of a folder. */
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  connectDirectory,
  type DirectoryClient,
  type Duration,
  embeddedBroker,
  serdes,
  StreamsApp,
  type WatermarkStrategy,
} from '../../../src/index.ts'
import { eventsTopic, type Query, type Row, rowsTopic } from './query.ts'
import { StandingRows } from './rows.ts'
import { topologyOf } from './topology.ts'

/** Sends of one turn of the event loop are one commit. */
const batch = 1000

/** Writes events, JSON each, and the query's side input to the folder's log. One partition: their order is the input's. */
export async function writeEvents(
  dir: string,
  lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { sideInput }: Pick<Query, 'sideInput'>,
): Promise<number> {
  const broker = embeddedBroker({ dir, partitions: 1 })
  if (sideInput !== undefined) {
    await using side = broker.producer<number, string>(sideInput.topic, {
      key: serdes.number(),
      value: serdes.string(),
    })
    sideInput.values.forEach((value, key) => void side.send({ key, value }))
    await side.flush()
  }
  await using events = broker.producer<never, Uint8Array>(eventsTopic, { value: serdes.bytes() })
  let n = 0
  for await (const value of lines) {
    const sent = events.send({ value })
    if (++n % batch === 0) await sent
  }
  await events.flush()
  return n
}

export interface JobOptions {
  readonly watermark?: WatermarkStrategy
  readonly maxTimestampAhead?: Duration
  readonly checkpointInterval: Duration
}

/** Runs the query over all that the folder's log holds, to the end. */
export async function runJob(dir: string, query: Query, { watermark, ...options }: JobOptions): Promise<void> {
  await using app = new StreamsApp({
    applicationId: 'nexmark',
    topology: topologyOf(query, watermark),
    broker: embeddedBroker({ dir, partitions: 1 }),
    ...options,
  })
  await app.start()
  app.endInputs()
  await app.completed
}

/** The rows of a job that has ended. */
export async function standingRows(dir: string, query: Query): Promise<StandingRows> {
  const rows = new StandingRows(query)
  const client: DirectoryClient = await connectDirectory(dir)
  try {
    for await (const { keys, values } of client.consume({ topic: rowsTopic })) {
      keys.forEach((key, i) => {
        const value = values[i] ?? null
        rows.add(textOf(key ?? null), value === null ? null : (JSON.parse(textOf(value)) as Row))
      })
    }
  } finally {
    await client.close()
  }
  return rows
}

const textOf = (bytes: Uint8Array | null): string =>
  bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()

/** Writes rows as JSON lines, and to the query's files below `folder` where it has such: anew, whatever was there. */
export async function printRows(
  rows: Iterable<Row>,
  { file }: Query,
  out: NodeJS.WritableStream,
  folder: string,
): Promise<number> {
  const files = new Map<string, string[]>()
  let n = 0
  for (const row of rows) {
    const line = `${JSON.stringify(row)}\n`
    if (file !== undefined) {
      const path = join(folder, file(row))
      const lines = files.get(path)
      if (lines === undefined) files.set(path, [line])
      else lines.push(line)
    }
    n++
    if (!out.write(line)) await once(out, 'drain')
  }
  for (const [path, lines] of files) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, lines.join(''))
  }
  return n
}
