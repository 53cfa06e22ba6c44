export { StreamsBuilder } from './builder.ts'
export type { ErrorAction, NullKeys, SourceOptions, TableSourceOptions } from './types.ts'
