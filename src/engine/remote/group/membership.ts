import type { Assigned, TopicPartition } from '../../../connectors/broker/remote.ts'
import type { TaskId } from '../../runtime/host.ts'
import { assign, type AssignOptions, type MemberState, taskName, taskOf } from './assignor.ts'
import { awayOf, type Known } from './away.ts'
import type { Cut } from './cut.ts'
import type { HostTasks, Told } from './told.ts'

/** Who is told its tasks, and who still has those that are told to nobody. */
function hostsOf(states: readonly MemberState[], told: ReadonlyMap<string, Told>): HostTasks[] {
  const given = new Set(told.values().flatMap(({ tasks }) => tasks))
  return states.flatMap(({ member, instance, at, running }) => {
    if (instance === undefined) return []
    const tasks = [...(told.get(member)?.tasks ?? []), ...running.filter((task) => !given.has(task))]
    return [{ instance, ...(at === undefined ? {} : { at }), tasks }]
  })
}

/** What a member tells of itself, and of what it was told last. */
type Sent = Omit<MemberState, 'member'> & { readonly known?: Known; readonly count?: number }

/** @param again another number is other data, for which the group is joined anew */
export const encodeMember = (state: Sent, again = 0): Buffer => Buffer.from(JSON.stringify({ ...state, again }))

/** Nothing, where the leader did not think of this member. */
export function decodeTold(assignment: Buffer): Told {
  return assignment.length === 0
    ? { tasks: [], standbys: [], warming: [], settled: false }
    : (JSON.parse(assignment.toString()) as Told)
}

/** The most tasks that a member knows of. */
export const mostTasks = (members: readonly { readonly userData: Buffer }[]): number =>
  Math.max(0, ...members.map(({ userData }) => (JSON.parse(userData.toString()) as Sent).count ?? 0))

type Member = { readonly member: string; readonly userData: Buffer }

const statesOf = (members: readonly Member[]): (Sent & MemberState)[] =>
  members.map(({ member, userData }) => ({ member, ...JSON.parse(userData.toString()) }))

/** As the leader: somebody wants a cut, every task is with somebody, and nobody commits. */
export function mayCut(members: readonly Member[], tasks: readonly TaskId[]): boolean {
  const states = statesOf(members)
  if (!states.some(({ wantsCut }) => wantsCut) || !states.every(({ held }) => held)) return false
  const running = new Set(states.flatMap((one) => one.running))
  return tasks.every((task) => running.has(taskName(task)))
}

/** As the leader: what each member is told. */
export function tellAll(
  members: readonly Member[],
  tasks: readonly TaskId[],
  inputsOf: (tasks: readonly TaskId[]) => readonly TopicPartition[],
  options: AssignOptions & { readonly delay: number; readonly cut?: Cut | undefined },
): Assigned[] {
  const states = statesOf(members)
  const asked = new Set(states.flatMap(({ member, wantsCut }) => (wantsCut ? [member] : [])))
  const { away, back } = awayOf(states, options.delay)
  const kept = new Set(away.flatMap((one) => one.tasks))
  const told = assign(tasks.map(taskName), states, { ...options, kept, back })
  const hosts = hostsOf(states, told)
  return Array.from(told, ([member, one]) => ({
    member,
    partitions: inputsOf(one.tasks.map(taskOf)).map(({ topic, partition }) => ({ topic, partition })),
    userData: Buffer.from(
      JSON.stringify({
        ...one,
        hosts,
        away,
        ...(options.cut !== undefined && asked.has(member) ? { cut: options.cut } : {}),
      } satisfies Told),
    ),
  }))
}
