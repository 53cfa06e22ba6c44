import type { TopicFile } from './arguments.ts'
import type { InputFormat } from './input/record-maker.ts'
import type { LogLevel } from './logging.ts'

/** What the command line of `dhaara run` says. */
export interface RunFlags {
  readonly input?: readonly TopicFile[]
  readonly output?: readonly TopicFile[]
  readonly inputFormat: InputFormat
  readonly partitions?: number
  readonly untilEnd?: true
  readonly workers?: number
  readonly dir?: string
  readonly set?: Readonly<Record<string, string>>
  readonly applicationId?: string
  readonly checkpointInterval?: string
  readonly http?: number
  readonly json?: true
  readonly logLevel?: LogLevel
  readonly brokers?: string
}
