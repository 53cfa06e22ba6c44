/** Where cores are given out: one for what answers and its asker, one for the job and its sender. */
import { type Cpus, Affinity } from '../../../src/state/affinity.ts'

export const forQuestions: Cpus = { queries: [0], tasks: [1] }
export const forJobs: Cpus = { queries: [1], tasks: [1] }

/** The threads of this process, for good. @throws where the system refuses: the figures would be of something else */
export async function giveOut(cpus: Cpus): Promise<void> {
  await new Affinity(cpus, notGivenOut).start()
}

export function notGivenOut(reason: unknown): never {
  throw new Error(`Cores cannot be given out here: ${JSON.stringify(reason)}`)
}
