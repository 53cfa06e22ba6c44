import type { ThroughputLine } from './report.ts'
import type { BenchCase } from './subject.ts'

/** A case that is no pair of subjects on a workload. */
export interface OtherCase {
  readonly name: string
  /** Too long to run unasked. */
  readonly onlyNamed?: boolean
  run(
    suite: string,
    options: { readonly runs: number; readonly log: (text: string) => void },
  ): Promise<ThroughputLine[]>
}

/** What a suite's `index.ts` exports as `suite`. */
export interface Suite {
  readonly name: string
  readonly cases: readonly BenchCase[]
  readonly others?: readonly OtherCase[]
}

/** A suite that is no set of pairs exports this as `main` instead, and reads the rest of the command line itself. */
export type SuiteMain = (args: readonly string[]) => Promise<number>
