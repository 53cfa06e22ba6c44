import type { OutputRow, Outputs } from './rows.ts'
import { connectDirectory, type DirectoryClient, serdes } from '../../src/index.ts'

/** What a report needs of a topic: all rows, or the last of each key. Windowed keys are told by their topic's `windowed`. */
export interface Wanted {
  readonly rows: 'all' | 'last'
  readonly windowed?: boolean
}

const windowedKey = serdes.windowed(serdes.string())

/** Reads output topics from a directory, as `dhaara consume` does. */
export async function readOutputs(dir: string, wanted: Readonly<Record<string, Wanted>>): Promise<Outputs> {
  await using client = await connectDirectory(dir)
  const outputs: Record<string, readonly OutputRow[]> = {}
  const topics = new Set((await client.topics()).map(({ name }) => name))
  for (const [topic, want] of Object.entries(wanted)) {
    if (!topics.has(topic)) continue // no row was ever written to it
    outputs[topic] = want.rows === 'last' ? await lastRowsOf(client, topic) : await allRowsOf(client, topic, want)
  }
  return outputs
}

async function allRowsOf(client: DirectoryClient, topic: string, { windowed = false }: Wanted): Promise<OutputRow[]> {
  const rows: OutputRow[] = []
  for await (const { keys, values } of client.consume({ topic })) {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as Uint8Array
      rows.push({ key: windowed ? windowedKey.deserialize(key, topic) : text(key), value: parse(values[i] ?? null) })
    }
  }
  return rows
}

/** Decodes what is left in the end only: most rows of a table are updates that others took the place of. */
async function lastRowsOf(client: DirectoryClient, topic: string): Promise<OutputRow[]> {
  const last = new Map<string, Uint8Array | null>()
  for await (const { keys, values } of client.consume({ topic })) {
    for (let i = 0; i < keys.length; i++) last.set(text(keys[i] as Uint8Array), values[i] ?? null)
  }
  return [...last].map(([key, value]) => ({ key, value: parse(value) }))
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

function parse(bytes: Uint8Array | null): unknown {
  return bytes === null ? null : JSON.parse(text(bytes))
}
