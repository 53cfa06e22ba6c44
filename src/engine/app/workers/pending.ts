import { DhaaraError } from '../../../errors/index.ts'
import { type RawRows, type RawValues, unpackRaw } from '../../query/index.ts'
import { receiveError } from '../../../errors/sent-error.ts'
import type { Report } from './worker-protocol.ts'

interface Waiting {
  readonly worker: number
  readonly resolve: (answer: RawRows | RawValues) => void
  readonly reject: (error: unknown) => void
}

/** Queries that workers have not answered yet. */
export class Pending {
  private readonly waiting = new Map<number, Waiting>()
  private next = 1

  send(worker: number, order: (id: number) => void): Promise<RawRows | RawValues> {
    const id = this.next++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { worker, resolve, reject })
      order(id)
    })
  }

  settle({ id, answer }: Extract<Report, { type: 'answer' }>): void {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if ('error' in answer) waiting?.reject(receiveError(answer.error))
    else waiting?.resolve(unpackRaw(answer))
  }

  /** A worker (default: all of them) will not answer any more. */
  forget(worker?: number): void {
    for (const [id, waiting] of this.waiting) {
      if (worker !== undefined && waiting.worker !== worker) continue
      this.waiting.delete(id)
      waiting.reject(restoring(`worker ${waiting.worker} has ended`))
    }
  }
}

export const restoring = (why: string): DhaaraError =>
  new DhaaraError(
    'DHAARA_RESTORING',
    `the latest state cannot be asked now: ${why}. Ask again, or ask for the committed state`,
  )
