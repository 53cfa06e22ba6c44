export type { ArrowType } from './columns.ts'
export { type ArrowSinkOptions, arrowSink, arrowSinkInfo } from './sink.ts'
export { type ArrowPosition, type ArrowSourceOptions, arrowSource, arrowSourceInfo } from './source.ts'
