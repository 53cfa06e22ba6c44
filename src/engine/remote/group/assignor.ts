import type { TaskId } from '../../runtime/host.ts'
import type { Told } from './told.ts'

/** What a member of the group tells its leader. */
export interface MemberState {
  readonly member: string
  /** Tasks that it runs now, or is about to: nobody else may until it says so. */
  readonly running: readonly string[]
  /** Tasks with local state, and how far that goes: the sum of its positions. */
  readonly local: Readonly<Record<string, number>>
  /** Of its directory; another one than the member's name, which changes. */
  readonly instance?: string
  /** Where the others ask it for rows; absent: nowhere. */
  readonly at?: string
  /** It commits nothing from before it joined until it is told its tasks, and nothing that it sent is uncommitted. */
  readonly held?: boolean
  /** It wants to know where the topics of the app end while nobody commits. */
  readonly wantsCut?: boolean
}

export interface AssignOptions {
  /** Copies of each task's state on other members. */
  readonly standbys: number
  readonly stateful: (task: string) => boolean
  /** Kept for somebody who is away: nobody gets them. */
  readonly kept?: ReadonlySet<string>
  /** Of members that were away: what they had. */
  readonly back?: ReadonlyMap<string, readonly string[]>
}

/** State that lags behind by fewer rows than this is read while the task stands still. */
const acceptableLag = 10_000

export const taskName = ({ sub, partition }: TaskId): string => `${sub}_${partition}`

export function taskOf(name: string): TaskId {
  const [sub = 0, partition = 0] = name.split('_').map(Number)
  return { sub, partition }
}

/**
 * Who runs which task: equal numbers (the difference is one at most); within that each stays where it runs, else goes to where
 * its state is newest, else to who has least. The same answer for the same question, whoever leads.
 *
 * A task moves in steps, and its old owner works on until the last one:
 *
 *     A runs it ─▶ B copies its state (told as a standby) ─▶ A is told no more of it, commits, joins again ─▶ B runs it
 *
 * @returns what to tell each member
 */
export function assign(
  tasks: readonly string[],
  members: readonly MemberState[],
  options: AssignOptions,
): ReadonlyMap<string, Told> {
  const sorted = [...members].sort((a, b) => (a.member < b.member ? -1 : 1))
  const { kept, back } = options
  const wanted = share(kept === undefined ? tasks : tasks.filter((task) => !kept.has(task)), sorted, back)
  const owners = new Map(sorted.flatMap(({ member, running }) => running.map((task) => [task, member] as const)))
  const told = new Map(sorted.map(({ member }) => [member, empty()]))
  const of = (member: string) => told.get(member) as ReturnType<typeof empty>
  const localOf = new Map(sorted.map(({ member, local }) => [member, local]))
  for (const [member, own] of wanted) {
    for (const task of own) {
      const owner = owners.get(task)
      if (owner === undefined || owner === member) of(member).tasks.push(task)
      else if (options.stateful(task) && lag(localOf, task, owner, member) > acceptableLag) {
        of(owner).tasks.push(task)
        of(member).standbys.push(task)
        of(member).warming.push(task)
      }
      // else its owner is told no more of it: when that has let go, all join again
    }
  }
  if (options.standbys > 0) addStandbys(tasks.filter(options.stateful), sorted, wanted, of, options.standbys)
  const settled = told.values().reduce((sum, one) => sum + one.tasks.length, 0) === tasks.length
  for (const one of told.values()) one.settled = settled
  return told
}

const empty = () => ({
  tasks: [] as string[],
  standbys: [] as string[],
  warming: [] as string[],
  settled: false,
})

const lag = (
  local: ReadonlyMap<string, Readonly<Record<string, number>>>,
  task: string,
  owner: string,
  member: string,
): number => (local.get(owner)?.[task] ?? 0) - (local.get(member)?.[task] ?? 0)

/** Copies go to who has them already, else to who has fewest, else to who is next behind the task's owner. */
function addStandbys(
  tasks: readonly string[],
  members: readonly MemberState[],
  wanted: ReadonlyMap<string, readonly string[]>,
  of: (member: string) => { readonly tasks: readonly string[]; readonly standbys: string[] },
  count: number,
): void {
  for (const task of tasks) {
    const owner = members.findIndex(({ member }) => wanted.get(member)?.includes(task))
    const behind = owner < 0 ? members : [...members.slice(owner + 1), ...members.slice(0, owner)]
    const rank = behind
      .filter(({ member }) => !of(member).tasks.includes(task) && !of(member).standbys.includes(task))
      .map(({ member, local }) => ({ member, has: local[task] ?? -1, load: of(member).standbys.length }))
      // a stable sort: the order behind the owner decides what is equal
      .sort((a, b) => Number(b.has >= 0) - Number(a.has >= 0) || a.load - b.load || b.has - a.has)
    for (const { member } of rank.slice(0, count)) of(member).standbys.push(task)
  }
}

function share(
  tasks: readonly string[],
  sorted: readonly MemberState[],
  back: ReadonlyMap<string, readonly string[]> = new Map(),
): ReadonlyMap<string, readonly string[]> {
  const got = new Map(sorted.map(({ member }) => [member, [] as string[]]))
  const least = Math.floor(tasks.length / sorted.length)
  const most = Math.ceil(tasks.length / sorted.length)
  // So many members may have one more than the least.
  let extra = tasks.length - least * sorted.length
  const roomy = (member: string): boolean => {
    const count = got.get(member)?.length ?? most
    return count < least || (count === least && extra > 0)
  }
  const give = (task: string, member: string): void => {
    const own = got.get(member) as string[]
    own.push(task)
    if (own.length > least) extra--
  }
  const open = new Set(tasks)
  for (const had of [({ running }: MemberState) => running, ({ member }: MemberState) => back.get(member) ?? []]) {
    for (const state of sorted) {
      for (const task of had(state)) {
        if (!open.has(task) || !roomy(state.member)) continue
        give(task, state.member)
        open.delete(task)
      }
    }
  }
  for (const task of [...open]) {
    const holders = sorted
      .filter(({ member, local }) => local[task] !== undefined && roomy(member))
      .sort((a, b) => (b.local[task] as number) - (a.local[task] as number))
    const holder = holders[0]
    if (holder === undefined) continue
    give(task, holder.member)
    open.delete(task)
  }
  for (const task of open) {
    const counts = sorted.map(({ member }) => (got.get(member) as string[]).length)
    const lowest = sorted[counts.indexOf(Math.min(...counts))] as MemberState
    give(task, lowest.member)
  }
  return got
}
