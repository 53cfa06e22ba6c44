/** `bench nexmark q5 --input events.jsonl --output -`: a query over given events, to the end. */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { watermarks } from '../../../src/index.ts'
import { printRows, runJob, standingRows, writeEvents } from './job.ts'
import type { Query } from './query.ts'

export interface FileRun {
  /** Path of JSON lines; `-` is standard input. */
  readonly input: string
  /** Path; `-` is standard output. */
  readonly output: string
  /** Where a query that writes files puts them. */
  readonly files: string
}

/**
 * Nothing is late here, however the events are ordered: the watermark moves at their end alone.
 *
 * @returns number of rows
 */
export async function runFile(query: Query, { input, output, files }: FileRun): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-nexmark-'))
  try {
    await writeEvents(dir, linesOf(input), query)
    await runJob(dir, query, { watermark: watermarks.none(), checkpointInterval: '1s' })
    const rows = await standingRows(dir, query)
    if (output === '-') return await printRows(rows, query, process.stdout, files)
    const out = createWriteStream(output)
    const n = await printRows(rows, query, out, files)
    out.end()
    await finished(out)
    return n
  } finally {
    rmSync(dir, { recursive: true })
  }
}

async function* linesOf(input: string): AsyncGenerator<Uint8Array> {
  const stream = input === '-' ? process.stdin : createReadStream(input)
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() !== '') yield Buffer.from(line)
  }
}
