import type { RemoteLog } from '../../../connectors/broker/remote.ts'
import type { AppTopics } from '../topics/app-topics.ts'

/**
 * Where the topics of an app end, its changelogs and its repartitions, at a moment at which nobody commits: by topic, of each
 * partition. What lies before that is the state of all tasks, and what is in flight between them, as of one moment:
 *
 *     instance A   …commit│ holds, joins ─────────────────┐ is told, goes on
 *     instance B   ……commit│ holds, joins ────────────┐   │ is told, goes on
 *     leader                                  all are here ─▶ reads the ends ─▶ tells all
 *
 * The group is the barrier: its leader is called when every member has joined, and none goes on before it has answered. A
 * transaction is then either over, so that all that it wrote lies before the ends, in whichever topics, or not begun.
 */
export type Cut = Readonly<Record<string, readonly number[]>>

export async function cutOf(log: RemoteLog, { changelogs, repartitions }: AppTopics): Promise<Cut> {
  const topics = [...changelogs, ...repartitions]
  const where = topics.flatMap(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  // markers of transactions that are over may still be on their way
  const ends = await log.offsets(where, 'latest', true)
  const cut: Record<string, number[]> = {}
  for (const [i, { topic, partition }] of where.entries()) (cut[topic] ??= [])[partition] = ends[i] as number
  return cut
}
