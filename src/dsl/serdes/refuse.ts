import { DhaaraError } from '../../errors/index.ts'
import { firstBytes } from '../../state/codec/index.ts'

/** Bytes that are not what a serde writes: says how many and the first of them, and what was expected. */
export function undecodable(
  topic: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  expected: string,
  cause?: unknown,
): DhaaraError {
  const length = end - start
  const found =
    length === 0 ? 'no bytes' : `${length} byte${length === 1 ? '' : 's'} (${firstBytes(bytes, start, end)})`
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new DhaaraError('DHAARA_DESERIALIZE', `${topic} has ${found}; expected ${expected}${why}`, { cause })
}

/** A value that a serde cannot write: says what it is and what was expected. */
export function unencodable(topic: string, value: unknown, expected: string, cause?: unknown): DhaaraError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new DhaaraError('DHAARA_SERIALIZE', `${topic} was given ${describe(value)}; expected ${expected}${why}`, {
    cause,
  })
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object without a class'}`
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  const text = String(value)
  return `the ${typeof value} ${text.length > 40 ? `${text.slice(0, 40)}...` : text}`
}
