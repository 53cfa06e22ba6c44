/** What a worker thread runs: it loads the topology module itself, since functions cannot be sent. */
import { workerData } from 'node:worker_threads'
import { planOf } from '../../dsl/topology/plan-of.ts'
import { compile } from '../plan/compile.ts'
import { forwarder } from './forwarder.ts'
import { inModule, loadModule, type WorkerEnv } from './module.ts'
import { sendError } from './sent-error.ts'
import type { Report, WorkerStart } from './worker-protocol.ts'
import { WorkerRuntime } from './worker-runtime.ts'

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
  const runtime = new WorkerRuntime(compile(planOf(topology)), start, logger)
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
