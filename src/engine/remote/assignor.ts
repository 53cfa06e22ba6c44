import type { TaskId } from '../runtime/host.ts'

/** What a member of the group tells its leader. */
export interface MemberState {
  readonly member: string
  /** Tasks that it runs now. */
  readonly running: readonly string[]
  /** Tasks with local state, and how far that goes: the sum of its positions. */
  readonly local: Readonly<Record<string, number>>
}

export const taskName = ({ sub, partition }: TaskId): string => `${sub}_${partition}`

export function taskOf(name: string): TaskId {
  const [sub = 0, partition = 0] = name.split('_').map(Number)
  return { sub, partition }
}

/**
 * Who runs which task: equal numbers (the difference is one at most); within that each stays where it runs, else goes to where
 * its state is newest, else to who has least. The same answer for the same question, whoever leads.
 *
 * @returns names of tasks by member
 */
export function assign(
  tasks: readonly string[],
  members: readonly MemberState[],
): ReadonlyMap<string, readonly string[]> {
  const sorted = [...members].sort((a, b) => (a.member < b.member ? -1 : 1))
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
  for (const { member, running } of sorted) {
    for (const task of running) {
      if (!open.has(task) || !roomy(member)) continue
      give(task, member)
      open.delete(task)
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
