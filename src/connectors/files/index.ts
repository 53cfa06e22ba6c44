export type { FilePosition } from './identity.ts'
export {
  type JsonLinesSinkOptions,
  type JsonLinesSourceOptions,
  jsonLinesInfo,
  jsonLinesSink,
  jsonLinesSource,
} from './json-lines.ts'
export {
  type CsvPosition,
  type CsvSinkOptions,
  type CsvSourceOptions,
  type CsvType,
  csvInfo,
  csvSink,
  csvSource,
} from './csv.ts'
