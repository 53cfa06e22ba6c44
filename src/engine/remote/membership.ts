import type { Assigned, TopicPartition } from '../../connectors/broker/remote.ts'
import type { TaskId } from '../runtime/host.ts'
import { assign, type MemberState, taskName, taskOf } from './assignor.ts'

/** What a member is told by the group's leader. */
export interface Told {
  readonly tasks: readonly string[]
  /** Tasks of others whose state it is to keep a copy of. */
  readonly standbys: readonly string[]
  /** Those of them that move here when their state is here. */
  readonly warming: readonly string[]
  /** Every task of the app has been told to somebody: none is on its way. */
  readonly settled: boolean
}

export const encodeMember = (state: Omit<MemberState, 'member'>): Buffer => Buffer.from(JSON.stringify(state))

/** Nothing, where the leader did not think of this member. */
export function decodeTold(assignment: Buffer): Told {
  return assignment.length === 0
    ? { tasks: [], standbys: [], warming: [], settled: false }
    : (JSON.parse(assignment.toString()) as Told)
}

/** As the leader: what each member is told. */
export function tellAll(
  members: readonly { readonly member: string; readonly userData: Buffer }[],
  tasks: readonly TaskId[],
  inputsOf: (tasks: readonly TaskId[]) => readonly TopicPartition[],
  standbys: number,
  stateful: (task: string) => boolean,
): Assigned[] {
  const states = members.map(({ member, userData }): MemberState => ({ member, ...JSON.parse(userData.toString()) }))
  const told = assign(tasks.map(taskName), states, { standbys, stateful })
  return Array.from(told, ([member, one]) => ({
    member,
    partitions: inputsOf(one.tasks.map(taskOf)).map(({ topic, partition }) => ({ topic, partition })),
    userData: Buffer.from(JSON.stringify(one)),
  }))
}
