import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerOf } from '../../harness/apart.ts'
import { commandOf, outputOf } from '../peers/java.ts'
import type { Figures, KafkaJob } from './job.ts'

/** Who does a case, in which way. */
export interface Entrant {
  readonly name: 'dhaara' | 'kafkajs' | 'kafka-streams'
  readonly variant: string
  /** Module in `subjects`; absent: a program in Java, unless it has `noBroker`. */
  readonly module?: string
  /** The subject of `ceilings`: the same records through the same steps, from memory to memory. */
  readonly noBroker?: true
}

const script = join(import.meta.dirname, 'child.ts')
export const streamsClass = 'dhaara.bench.KafkaStreamsOnTopics'

/** One run in a process of its own, with a directory of its own. */
export async function runOnce({ module, variant }: Entrant, job: Omit<KafkaJob, 'dir' | 'variant'>): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-bench-'))
  try {
    const whole: KafkaJob = { ...job, variant, dir }
    if (module !== undefined) return await answerOf(script, [module, JSON.stringify(whole)])
    const { brokers, partitions: _, ...given } = whole
    const bootstrap = brokers.join(',')
    return JSON.parse(await outputOf(commandOf('kafka-streams', streamsClass, { ...given, bootstrap }))) as Figures
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
