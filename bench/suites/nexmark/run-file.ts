/** `bench nexmark q5 --input events.jsonl --output -`: a query over given events, to the end. */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { LineSplitter } from '../../../src/connectors/files/lines.ts'
import { watermarks } from '../../../src/index.ts'
import { printRows, runJob, standingRows, writeEvents } from './job.ts'
import type { Query } from './query.ts'

/** The last that a Date can be. */
const lastTime = 8.64e15
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

export interface FileRun {
  /** Path of JSON lines; `-` is standard input. */
  readonly input: string
  /** Path; `-` is standard output. */
  readonly output: string
  /** Where a query that writes files puts them. */
  readonly files: string
}

/**
 * Nothing is late here, however the events are ordered: the watermark moves at their end alone. Nor is any time too far ahead.
 *
 * @returns number of rows
 */
export async function runFile(query: Query, { input, output, files }: FileRun): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-nexmark-'))
  try {
    await writeEvents(dir, linesOf(input), query)
    await runJob(dir, query, { watermark: watermarks.none(), maxTimestampAhead: lastTime, checkpointInterval: '1s' })
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

/** Lines end at a line feed alone: JSON may have U+2028 in its texts, which node:readline takes for an end. */
async function* linesOf(input: string): AsyncGenerator<Uint8Array> {
  const stream = input === '-' ? process.stdin : createReadStream(input)
  const splitter = new LineSplitter(1 << 16)
  let lines: Buffer[] = []
  let first = true
  const take = (buf: Buffer, start: number, end: number): void => {
    const line = Buffer.from(
      buf.subarray(first && buf.subarray(start, start + 3).equals(byteOrderMark) ? start + 3 : start, end),
    )
    if (line.some((byte) => byte > 0x20)) lines.push(line)
    first = false
  }
  for await (const chunk of stream) {
    splitter.push(chunk as Buffer)
    splitter.take(take, () => {})
    yield* lines
    lines = []
  }
  splitter.takeRest(take, () => {})
  yield* lines
}
