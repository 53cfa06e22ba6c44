import type { Lease } from '../../connectors/broker/lease.ts'
import { taskName, taskOf } from './group/assignor.ts'
import type { Known } from './group/away.ts'
import { cutOf } from './group/cut.ts'
import { ChangelogRows } from './state/changelog.ts'
import { Crew } from './runner/crew.ts'
import type { EngineParts, Share } from './engine-parts.ts'
import { adoptGrowth } from './topics/growth.ts'
import { Inputs } from './inputs.ts'
import type { LocalState } from './state/local-state.ts'
import { encodeMember, mayCut, mostTasks, tellAll } from './group/membership.ts'
import { Ends } from './positions.ts'
import { Standbys } from './state/standbys.ts'
import type { RunnerEvents } from './runner/task-runner.ts'
import { prepareTopics } from './topics/topics.ts'

export interface ShareHooks {
  readonly runners: RunnerEvents
  readonly lease: Lease
  /** Tasks that are to move here have their state here. */
  warm(): void
  /** Another number is news to the group: all join again. */
  news(): number
  /** What it was told last of the others. */
  known(): Known | undefined
  /** It commits nothing now, and nothing that it sent is uncommitted. */
  held(): boolean
  wantsCut(): boolean
}

/** Finds the topics, hires the runners, and makes the group's member, which joins later. */
export async function makeShare(parts: EngineParts, hooks: ShareHooks): Promise<Share> {
  const { plan, settings, log, local, ids, at } = parts
  const app = settings.applicationId
  const topics = await prepareTopics(log, plan, settings, settings.logger)
  const inputs = new Inputs(app, plan, topics)
  const rows = new ChangelogRows(topics.changelogs, ids)
  const ends = new Ends(log, inputs)
  const known = (): Iterable<string> => ids.all().keys()
  const standbys = new Standbys(log, local, rows, topics, known, settings.logger, () => hooks.warm())
  const crew = await Crew.hire(parts.hire, hooks.runners, hooks.lease)
  const stateful = new Set(topics.changelogs.flatMap(({ sub, store }) => (store === undefined ? [] : [sub])))
  const member = log.member({
    group: app,
    topics: inputs.subscribed,
    ...(settings.instanceId === undefined ? {} : { instance: settings.instanceId }),
    lease: hooks.lease.memory,
    userData: () => {
      const state = { running: crew.tasks, local: localTasks(local, share.inputs), instance: local.instance }
      const known = hooks.known()
      const more = {
        ...(at === undefined ? {} : { at }),
        ...(known === undefined ? {} : { known }),
        ...(hooks.wantsCut() ? { wantsCut: true } : {}),
        held: hooks.held(),
      }
      return encodeMember({ ...state, ...more, count: share.inputs.tasks.length }, hooks.news())
    },
    assign: async (members) => {
      // somebody else has found that there are more tasks
      if (mostTasks(members) > share.inputs.tasks.length) await adoptGrowth(parts, share)
      const cut = mayCut(members, share.inputs.tasks) ? await cutOf(log, share.inputs.topics) : undefined
      return tellAll(members, share.inputs.tasks, (tasks) => share.inputs.ofAll(tasks), {
        cut,
        standbys: settings.standbys,
        stateful: (task) => stateful.has(taskOf(task).sub),
        delay: settings.rebalanceDelay,
      })
    },
  })
  const share: Share = { member, inputs, rows, ends, crew, standbys }
  return share
}

/** Tasks with rows here: how far. */
function localTasks(local: LocalState, { topics }: Inputs): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { topic, partitions, sub } of topics.changelogs) {
    for (let partition = 0; partition < partitions; partition++) {
      const position = local.position(topic, partition)
      if (position === undefined) continue
      const name = taskName({ sub, partition })
      found[name] = (found[name] ?? 0) + position.offset
    }
  }
  return found
}
