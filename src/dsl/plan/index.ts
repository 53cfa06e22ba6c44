export type * from './nodes.ts'
export type * from './specs.ts'
