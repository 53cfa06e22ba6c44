/** Reads the output of a load on Kafka, read committed, in a thread of its own: what parsing takes shall not make the sender late. */
import { parentPort, workerData } from 'node:worker_threads'
import { remote } from '../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../src/index.ts'
import { topics } from './link.ts'
import { putRow, rowMemory } from './row.ts'
import { clock } from './trace.ts'

export interface Read {
  readonly rows: Float64Array
  readonly at: number
}

const broker = kafkaBroker({ brokers: workerData as readonly string[] })
const log = await broker[remote]()
let position = 0
const reader = log.reader({
  onData() {
    const at = clock()
    for (;;) {
      const batch = reader.take(topics.output, 0, position)
      if (batch === undefined) break
      position = batch.nextOffset
      const { count, data, valueStart, valueEnd } = batch
      const rows = rowMemory(count)
      for (let i = 0; i < count; i++) putRow(rows, i, data.toString('latin1', valueStart[i], valueEnd[i]))
      reader.done(batch)
      parentPort?.postMessage({ rows, at } satisfies Read, [rows.buffer as ArrayBuffer])
    }
    // that it reads at all, too: before anything is sent, its connection is there
    if (position === 0) parentPort?.postMessage({ rows: rowMemory(0), at } satisfies Read)
  },
})
reader.add(topics.output, 0, position)
parentPort?.once('message', () => {
  void reader
    .close()
    .then(() => log.release())
    .then(() => parentPort?.close())
})
