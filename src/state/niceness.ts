/**
 * Who answers comes before who processes, and that one before who compacts: on few cores a thread that answers a question of
 * twenty microseconds waits in the scheduler's queue behind threads that have milliseconds of work each. Linux alone has a niceness
 * for each thread (setpriority(2), "C library/kernel differences"); elsewhere it is the whole process's, and nothing is done.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** Of threads that run tasks and that write what they have done. */
export const processing = 5
/** Of threads that merge what lies in a database. */
export const compacting = 10

const tasks = '/proc/self/task'

/** The thread that calls. */
export function lowerThisThread(niceness: number): void {
  if (process.platform !== 'linux') return
  attempt(() => setPriority(0, niceness))
}

/** Threads of this process by the name that they gave themselves. */
export function lowerThreads(name: string, niceness: number): void {
  if (process.platform !== 'linux') return
  attempt(() => {
    for (const thread of readdirSync(tasks)) {
      attempt(() => {
        if (readFileSync(`${tasks}/${thread}/comm`, 'latin1').trim() === name) setPriority(Number(thread), niceness)
      })
    }
  })
}

/** A thread may have ended meanwhile, and a sandbox may refuse: work goes on as it would have. */
function attempt(lower: () => void): void {
  try {
    lower()
  } catch {
    // as it was
  }
}
