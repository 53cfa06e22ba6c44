import { portLogOf, Pulse } from '../../../connectors/broker/apart/index.ts'
import type { RemoteLog } from '../../../connectors/broker/remote.ts'
import type { Settings } from '../../app/settings/options.ts'
import type { WorkerProgram } from '../../app/workers/workers.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import type { StoreNumbers } from '../state/changelog.ts'
import type { HireRunner } from './crew.ts'
import type { LocalState } from '../state/local-state.ts'
import { writerName } from './abandoned.ts'
import { Runner } from './runner.ts'
import { ThreadRunner } from './thread-runner.ts'

export interface HireParts {
  readonly plan: PhysicalPlan
  readonly settings: Settings
  readonly log: RemoteLog
  readonly local: LocalState
  readonly ids: StoreNumbers
}

/** All tasks in this thread. If its event loop stands still for too long, the client leaves the group. */
export function runHere({ plan, settings, log, local, ids }: HireParts): HireRunner {
  const app = settings.applicationId
  return {
    count: 1,
    here: true,
    async hire(_, events, lease) {
      const transactionalId = writerName(app, local.instance)
      const pulse = new Pulse()
      portLogOf(log).watch(pulse.memory, settings.stuckAfter)
      const onStop = () => pulse.stop()
      return new Runner({ app, plan, settings, log, state: local.backend, ids, transactionalId, events, lease, onStop })
    },
  }
}

/** Tasks on worker threads, each with transactions of its own. */
export function runOnThreads(program: WorkerProgram, { settings, log, local, ids }: HireParts): HireRunner {
  return {
    count: program.workers,
    here: false,
    hire: (number, events, lease) =>
      ThreadRunner.hire({
        program,
        number,
        settings,
        log: portLogOf(log),
        backend: local.backend,
        ids,
        transactionalId: writerName(settings.applicationId, local.instance, number),
        events,
        lease,
      }),
  }
}
