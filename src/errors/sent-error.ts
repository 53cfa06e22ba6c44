import { DhaaraError } from './error.ts'
import { catalogue, type KnownCode } from './catalogue.ts'

/** An error on its way between threads: class, code and stack survive. */
export interface SentError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly step: string | undefined
  readonly cause: SentError | undefined
}

export function sendError(error: unknown, depth = 0): SentError {
  const known = error instanceof Error
  const { name, message, stack, cause } = known
    ? error
    : { name: 'Error', message: String(error), stack: undefined, cause: undefined }
  const dhaara = error instanceof DhaaraError ? error : undefined
  const deeper = cause !== undefined && depth < 8 ? sendError(cause, depth + 1) : undefined
  return { name, message, stack, code: dhaara?.code, step: dhaara?.step, cause: deeper }
}

export function receiveError({ name, message, stack, code, step, cause }: SentError): Error {
  const inner = cause === undefined ? undefined : receiveError(cause)
  const error =
    code !== undefined && code in catalogue
      ? new DhaaraError(code as KnownCode, message, { step, cause: inner })
      : new Error(message, inner === undefined ? undefined : { cause: inner })
  if (!(error instanceof DhaaraError)) error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
