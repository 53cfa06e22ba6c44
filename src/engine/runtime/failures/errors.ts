import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import type { SourceNode } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { CurrentRecord } from '../record.ts'

/** Stops what is running and takes the epoch back: thrown through operators, never handed to a policy. */
export class EpochAborted extends Error {
  override readonly cause: unknown

  constructor(cause: unknown) {
    super('the epoch is taken back')
    this.cause = cause
  }
}

/** Data that a source could not read, with where it lies. */
export function invalidAt(error: DhaaraError, source: SourceNode, batch: FetchedBatch, i: number): DhaaraError {
  const { topic, partition, offsets } = batch
  const message = `source '${source.name}', ${topic}[${partition}] offset ${offsets[i]}: ${error.message}`
  return new DhaaraError(error.code as never, message, { step: source.name, cause: error.cause })
}

/** Where the record at hand came from: its source, and the repartition that it came by. */
export function whereabouts(rec: CurrentRecord): string {
  const { source, topic, partition, offset } = rec
  if (source === undefined)
    return rec.i < 0
      ? 'outside of any record (a timer or a closing window)'
      : `at ${topic}[${partition}] offset ${offset}, sent by a timer or a closing window`
  const at = `at ${source.topic}[${source.partition}] offset ${source.offset}`
  return rec.i < 0 || (topic === source.topic && partition === source.partition)
    ? at
    : `${at}, by way of ${topic}[${partition}]`
}

/** A user's exception, with the step and the record that it crossed; its own stack leads to the user's line. */
export function userError(error: unknown, step: string, rec: CurrentRecord): DhaaraError {
  if (error instanceof DhaaraError && error.step !== undefined) return error
  const where = whereabouts(rec)
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  if (error instanceof DhaaraError)
    return new DhaaraError(error.code as never, `step '${step}', ${where}: ${error.message}`, {
      step,
      cause: error.cause ?? error,
    })
  return new DhaaraError('DHAARA_USER_CODE', `step '${step}' threw ${where}: ${text}`, { step, cause: error })
}

/** The plan has what no task can run. */
export const unsupported = (what: string, step: string): DhaaraError =>
  new DhaaraError('DHAARA_UNSUPPORTED', `step '${step}': ${what} cannot be run`, { step })
