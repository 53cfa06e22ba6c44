import type { MemberState } from './assignor.ts'
import type { Away } from './told.ts'

/** What a member was told last of all others: the group's memory, whoever leads it next. */
export interface Known {
  readonly generation: number
  readonly hosts: readonly { readonly instance: string; readonly tasks: readonly string[] }[]
  readonly away: readonly Away[]
}

/**
 * Who has left with tasks that nobody has taken since, as the member knows it that was told last. Whoever is back has its tasks
 * again as if it had never been gone; when the time is over, they go to others.
 *
 *     told: A {0, 1}, B {2, 3}     B leaves ─▶ kept: B {2, 3}, 60 s     B is back within that ─▶ A {0, 1}, B {2, 3}
 *
 * @param delay how long tasks are kept, ms; 0: they go to others at once
 * @returns who is away, and which tasks those have who are back
 */
export function awayOf(
  members: readonly (MemberState & { readonly known?: Known })[],
  delay: number,
): { readonly away: readonly Away[]; readonly back: ReadonlyMap<string, readonly string[]> } {
  const back = new Map<string, readonly string[]>()
  const newest = members
    .flatMap(({ known }) => (known === undefined ? [] : [known]))
    .reduce<Known | undefined>((a, b) => (a === undefined || b.generation > a.generation ? b : a), undefined)
  if (delay === 0 || newest === undefined) return { away: [], back }
  const present = new Map(
    members.flatMap(({ instance, member }) => (instance === undefined ? [] : [[instance, member]])),
  )
  const taken = new Set(members.flatMap(({ running }) => running))
  const away: Away[] = []
  const before = newest.away.map((one) => one.instance)
  const left = newest.hosts.filter(({ instance }) => !before.includes(instance)).map((host) => ({ ...host, ms: delay }))
  for (const { instance, tasks, ms } of [...newest.away, ...left]) {
    const open = tasks.filter((task) => !taken.has(task))
    const member = present.get(instance)
    if (member !== undefined) back.set(member, open)
    else if (open.length > 0 && ms > 0) away.push({ instance, tasks: open, ms })
  }
  return { away, back }
}
