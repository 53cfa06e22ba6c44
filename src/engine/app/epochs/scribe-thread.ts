/** What the thread of a {@link Scribe} runs. */
import { workerData } from 'node:worker_threads'
import { sendError } from '../../../errors/sent-error.ts'
import { borrowRocks } from '../../../state/backends/index.ts'
import { lowerThisThread, processing } from '../../../state/niceness.ts'
import { unpack } from '../../../state/epoch-pack.ts'
import { failpoint } from './failpoints.ts'
import { markKey, type ScribeStart, type Told, type Writing } from './scribe-protocol.ts'

lowerThisThread(processing)
const { port, handle, over } = workerData as ScribeStart
const backend = borrowRocks(handle)
const written = new Int32Array(over)

function write({ packs, mark, sync }: Writing): Told {
  const began = performance.now()
  try {
    const batch = backend.batch()
    const clears: [Uint8Array, Uint8Array][] = []
    const rows = {
      put: (key: Uint8Array, value: Uint8Array) => batch.put(key, value),
      delete: (key: Uint8Array) => batch.delete(key),
      clearLater: (gte: Uint8Array, lt: Uint8Array) => void clears.push([gte, lt]),
    }
    for (const pack of packs) unpack(pack, rows)
    batch.put(markKey, mark)
    const { bytes } = batch
    const filled = performance.now()
    batch.commit({ sync })
    const ended = performance.now()
    failpoint('after-write')
    for (const [gte, lt] of clears) backend.clearRange(gte, lt)
    failpoint('after-clears')
    return { bytes, fillMs: filled - began, writeMs: ended - filled }
  } catch (error) {
    return { error: sendError(error) }
  }
}

port.on('message', (writing: Writing) => {
  port.postMessage(write(writing))
  // who does not come back to its event loop looks for the answer as soon as it is woken
  Atomics.store(written, 0, writing.number)
  Atomics.notify(written, 0)
})
