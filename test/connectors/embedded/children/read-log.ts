/** In a worker: answers each message {topic, partition, offset} with the values found, or null when caught up. */
import { parentPort, workerData } from 'node:worker_threads'
import { LogReader } from '../../../../src/connectors/broker/index.ts'
import { readRocks } from '../../../../src/state/backends/index.ts'
import { recordsOf } from '../../broker/records.ts'

const reader = new LogReader(readRocks(workerData))
parentPort!.on('message', ({ topic, partition, offset }) => {
  const batch = reader.fetch(topic, partition, offset)
  parentPort!.postMessage(batch === undefined ? null : recordsOf(batch).map((record) => record.value))
})
