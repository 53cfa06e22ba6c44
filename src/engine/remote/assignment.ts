import type { Share } from './engine-parts.ts'
import type { Assignment } from './runner/task-runner.ts'

/** What runners are told beside their tasks, where none of these is new. */
export function assignmentOf({ inputs, ends, member }: Share): Omit<Assignment, 'tasks'> {
  const none = new Map<string, number>()
  return {
    topics: inputs.topics,
    positions: { committed: none, starts: none },
    ends: ends.known,
    membership: member.membership,
  }
}
