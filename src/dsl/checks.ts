import { DhaaraError } from '../errors/index.ts'
import type { UserFn } from './plan/index.ts'
import { show } from './vault.ts'

/** @throws DhaaraError DHAARA_OPTION unless `fn` is a function */
export function needFunction(fn: unknown, what: string): UserFn {
  if (typeof fn === 'function') return fn as UserFn
  throw new DhaaraError('DHAARA_OPTION', `${what}: found ${show(fn)}; expected a function`)
}

/** @throws DhaaraError DHAARA_OPTION unless `n` is a whole number of at least `least` */
export function needCount(n: unknown, what: string, least = 1): number {
  if (typeof n === 'number' && Number.isSafeInteger(n) && n >= least) return n
  throw new DhaaraError('DHAARA_OPTION', `${what}: found ${show(n)}; expected a whole number of at least ${least}`)
}

/** @throws DhaaraError DHAARA_OPTION unless `value` is one of `allowed` */
export function needOneOf<T extends string>(value: unknown, what: string, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T
  throw new DhaaraError('DHAARA_OPTION', `${what}: found ${show(value)}; expected one of ${allowed.join(', ')}`)
}
