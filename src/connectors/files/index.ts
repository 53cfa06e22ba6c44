export type { FilePosition } from './identity.ts'
export {
  type JsonLinesSinkOptions,
  type JsonLinesSourceOptions,
  jsonLinesInfo,
  jsonLinesSink,
  jsonLinesSource,
} from './json-lines.ts'
