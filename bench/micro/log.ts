/**
 * Records of 200 bytes through the embedded log: built into frames, appended (one commit a frame), fetched, read.
 *
 *     node bench/micro/log.ts [records]
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FrameBuilder } from '../../src/connectors/broker/index.ts'
import { EmbeddedLog } from '../../src/connectors/embedded/index.ts'
import type { Backend } from '../../src/state/backend.ts'
import { MemoryBackend, openRocks } from '../../src/state/backends/index.ts'

const records = Number(process.argv[2] ?? 1_000_000)
const key = Buffer.from('customer-1234')
const value = Buffer.alloc(200 - key.length, 'v')
const text = value.toString()

function report(what: string, begun: number): void {
  const seconds = (performance.now() - begun) / 1000
  console.log(`${what.padEnd(36)} ${(records / seconds / 1e6).toFixed(2)} M records/s`)
}

function append(backend: Backend, log: EmbeddedLog, topic: string, recordsAFrame: number): void {
  log.createTopic(topic, 1)
  const builder = new FrameBuilder()
  for (let i = 0; i < records; ) {
    for (const end = Math.min(records, i + recordsAFrame); i < end; i++) builder.add(key, value, i)
    const transaction = log.begin(backend.batch())
    transaction.append(topic, 0, builder.finishShared())
    transaction.commit()
  }
}

function fetch(log: EmbeddedLog, topic: string): void {
  let bytes = 0
  let count = 0
  for (let offset = 0; ; ) {
    const batch = log.fetch(topic, 0, offset)
    if (batch === undefined) break
    for (let i = 0; i < batch.count; i++) bytes += batch.valueEnd[i]! - batch.valueStart[i]!
    count += batch.count
    offset = batch.nextOffset
  }
  if (count !== records || bytes !== records * value.length) throw new Error(`${count} records, ${bytes} bytes`)
}

async function suite(name: string, backend: Backend): Promise<void> {
  const log = new EmbeddedLog(backend)
  for (const recordsAFrame of [4096, 256, 16]) {
    const topic = `frames-of-${recordsAFrame}`
    let begun = performance.now()
    append(backend, log, topic, recordsAFrame)
    report(`${name}: append, ${recordsAFrame} a frame`, begun)
    begun = performance.now()
    fetch(log, topic)
    report(`${name}: fetch, ${recordsAFrame} a frame`, begun)
  }
  await backend.close()
}

for (const [what, add] of [
  ['bytes', (builder: FrameBuilder, i: number) => builder.add(key, value, i)],
  ['text', (builder: FrameBuilder, i: number) => builder.addText(key, text, i)],
] as const) {
  const builder = new FrameBuilder()
  const begun = performance.now()
  for (let i = 0; i < records; i++) {
    add(builder, i)
    if (builder.full) builder.finishShared()
  }
  report(`build frames of ${what}`, begun)
}
await suite('memory', new MemoryBackend())
const dir = await mkdtemp(join(tmpdir(), 'dhaara-bench-'))
await suite('rocksdb', await openRocks(dir))
rmSync(dir, { recursive: true })
