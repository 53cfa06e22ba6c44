import type { brand } from '../brand.ts'

export interface UntilWindowCloses {
  readonly [brand]: 'untilWindowCloses'
}
export interface UntilTimeLimit {
  readonly [brand]: 'untilTimeLimit'
}
