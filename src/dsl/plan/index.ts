export type * from './nodes.ts'
export type * from './specs.ts'
export { keepsPast } from './versioned.ts'
export { windowsBehind } from './windows-behind.ts'
