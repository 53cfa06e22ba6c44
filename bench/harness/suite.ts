import type { BenchCase } from './subject.ts'

/** What a suite's `index.ts` exports as `suite`. */
export interface Suite {
  readonly name: string
  readonly cases: readonly BenchCase[]
}

/** A suite that is no set of pairs exports this as `main` instead, and reads the rest of the command line itself. */
export type SuiteMain = (args: readonly string[]) => Promise<number>
