import { workerData } from 'node:worker_threads'
import { LogReader } from '../../../connectors/broker/log-reader.ts'
import type { ReadableLog } from '../../../connectors/broker/log.ts'
import { planOf } from '../../../dsl/topology/plan-of.ts'
import type { BackendReader } from '../../../state/backend.ts'
import { compile } from '../../plan/compile.ts'
import { forwarder } from './forwarder.ts'
import { inModule, loadModule, type WorkerEnv } from '../module.ts'
import { sendError } from '../../../errors/sent-error.ts'
import type { Report, WorkerStart } from './worker-protocol.ts'
import { WorkerRuntime } from './worker-runtime.ts'

/**
 * The life of a worker thread: it loads the topology module itself, since functions cannot be sent.
 * @param logOf where its inputs are read
 */
export async function runWorker(
  logOf: (reader: BackendReader) => ReadableLog = (reader) => new LogReader(reader),
): Promise<void> {
  const start = workerData as WorkerStart
  // orders are looked for between two slices, not delivered: without this the thread would end while it sleeps
  const awake = setInterval(() => {}, 2 ** 30)
  const post = (report: Report): void => start.port.postMessage(report)
  const ending = new AbortController()
  try {
    const { topology, module } = await loadModule(new URL(start.url), { settings: start.env })
    const logger = forwarder(post)
    const env: WorkerEnv = { settings: start.env, worker: start.worker, signal: ending.signal, logger }
    await inModule('setup', () => module.setup?.(env))
    const runtime = new WorkerRuntime(compile(planOf(topology)), start, logger, logOf)
    post({ type: 'ready', hash: topology.hash })
    await runtime.run()
    ending.abort()
    await inModule('teardown', () => module.teardown?.(env))
  } catch (error) {
    post({ type: 'broken', error: sendError(error) })
  }
  clearInterval(awake)
  start.port.close()
  start.answers.close()
}
