export { suppressVault, untilTimeLimit, untilWindowCloses } from './suppress.ts'
export type { UntilTimeLimit, UntilWindowCloses } from './types.ts'
