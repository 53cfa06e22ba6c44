/** What a worker thread with tasks on a remote log runs. */
import { workerData } from 'node:worker_threads'
import { PortLog, Pulse } from '../../../connectors/broker/apart/index.ts'
import { Lease } from '../../../connectors/broker/lease.ts'
import { planOf } from '../../../dsl/topology/plan-of.ts'
import { sendError } from '../../../errors/sent-error.ts'
import { borrowRocks } from '../../../state/backends/index.ts'
import { Asker } from '../../app/workers/ask.ts'
import { forwarder } from '../../app/workers/forwarder.ts'
import { inModule, loadModule, type WorkerEnv } from '../../app/module.ts'
import { askedPolicies } from '../../app/workers/sent-settings.ts'
import { compile } from '../../plan/compile.ts'
import { packRaw } from '../../query/index.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Runner } from './runner.ts'
import type { RunnerCall, RunnerReport, RunnerStart } from './runner-messages.ts'

const start = workerData as RunnerStart
const post = (report: RunnerReport): void => start.port.postMessage(report)
const pulse = new Pulse(start.pulse)
const log = new PortLog(start.log)
const ending = new AbortController()

try {
  const { topology, module } = await loadModule(new URL(start.url), { settings: start.env })
  const logger = forwarder(post as never)
  const env: WorkerEnv = { settings: start.env, worker: start.worker, signal: ending.signal, logger }
  await inModule('setup', () => module.setup?.(env))
  const asker = new Asker(start.port, start.answers, start.answered)
  const policies = askedPolicies(asker, start.settings)
  const ids = new Map<string, number>()
  const runner = new Runner({
    app: start.settings.applicationId,
    plan: compile(planOf(topology)),
    settings: {
      ...start.settings,
      clock: systemClock,
      logger,
      policies,
      cacheBytes: start.settings.cacheBytes / start.workers,
    },
    log,
    state: borrowRocks(start.handle),
    ids: {
      idOf(name) {
        const known = ids.get(name) ?? (asker.ask({ type: 'storeId', name }) as number)
        ids.set(name, known)
        return known
      },
    },
    transactionalId: start.transactionalId,
    writes: new Int32Array(start.writes),
    lease: new Lease(start.lease),
    events: {
      written: (written) => post({ type: 'written', written }),
      checkpoint: (event) => post({ type: 'checkpoint', event, report: runner.report() }),
      refused: (error) => post({ type: 'refused', error: sendError(error) }),
      failed: (error) => post({ type: 'failed', error: sendError(error) }),
      ended: (tasks) => post({ type: 'ended', tasks, report: runner.report() }),
    },
  })
  const carryOut = async ({ method, args }: RunnerCall): Promise<unknown> => {
    const value = await (runner[method] as (...args: readonly unknown[]) => unknown)(...args)
    return method === 'ask' ? packRaw(value as never) : value
  }
  start.port.on('message', (call: RunnerCall) => {
    const { id } = call
    carryOut(call)
      .then(
        // with new tasks it tells where they begin: their first commit may be a while
        (value) =>
          id !== undefined &&
          post({ type: 'reply', id, value, ...(call.method === 'assign' ? { report: runner.report() } : {}) }),
        (error) => id !== undefined && post({ type: 'reply', id, error: sendError(error) }),
      )
      .then(() => (call.method === 'stop' ? end(module.teardown, env) : undefined))
  })
  post({ type: 'ready', hash: topology.hash })
} catch (error) {
  post({ type: 'broken', error: sendError(error) })
  close()
}

async function end(teardown: ((env: WorkerEnv) => unknown) | undefined, env: WorkerEnv): Promise<void> {
  ending.abort()
  await inModule('teardown', () => teardown?.(env)).catch((error: unknown) =>
    post({ type: 'failed', error: sendError(error) }),
  )
  close()
}

function close(): void {
  pulse.stop()
  log.close()
  start.port.close()
  start.answers.close()
}
