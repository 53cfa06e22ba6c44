import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutputOptions } from './options.ts'

const CHUNK = 1 << 16

/**
 * Writes one JSON document a line. A reader that goes away (`| head`) just ends it.
 * @returns how many lines were written
 */
export async function writeLines(events: Iterable<object>, { out, rate }: OutputOptions): Promise<number> {
  const stream = out === undefined ? process.stdout : createWriteStream(out)
  let failure: NodeJS.ErrnoException | undefined
  stream.on('error', (error) => {
    failure ??= error
  })
  const flush = async (text: string) => {
    if (!stream.write(text)) await once(stream, 'drain').catch(() => undefined) // an error is kept in `failure`
  }

  const started = performance.now()
  let written = 0
  let text = ''
  for (const event of events) {
    text += `${JSON.stringify(event)}\n`
    written++
    const ahead = rate === undefined ? 0 : (written * 1000) / rate - (performance.now() - started)
    if (text.length < CHUNK && ahead < 5) continue
    await flush(text)
    text = ''
    if (failure !== undefined) break
    if (ahead >= 5) await sleep(ahead)
  }
  if (failure === undefined && text !== '') await flush(text)
  if (stream !== process.stdout && failure === undefined) {
    stream.end()
    await once(stream, 'close').catch(() => undefined)
  }
  if (failure !== undefined && failure.code !== 'EPIPE') throw failure
  return written
}
