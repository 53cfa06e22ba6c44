import { catalogue, type ErrorCode, type ErrorDomain, type KnownCode } from './catalogue.ts'

export interface ErrorDetails {
  /** The step it crossed. */
  readonly step?: string | undefined
  readonly cause?: unknown
}

/** Base of everything dhaara throws: a stable `code`, its `domain`, whether a retry may help, the step it crossed, the cause. */
export class DhaaraError extends Error {
  readonly code: ErrorCode
  readonly domain: ErrorDomain
  readonly retryable: boolean
  readonly step: string | undefined

  constructor(code: KnownCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'DhaaraError'
    this.code = code
    this.domain = catalogue[code].domain
    this.retryable = catalogue[code].retryable
    this.step = details.step
  }
}

export interface TopologyProblem {
  readonly code: ErrorCode
  readonly step: string
  readonly message: string
}

/** Lists every problem of a topology at once. */
export class TopologyError extends DhaaraError {
  readonly problems: readonly TopologyProblem[]

  constructor(problems: readonly TopologyProblem[]) {
    const lines = problems.map((p) => `  - ${p.step}: ${p.message} (${p.code})`)
    super('DHAARA_TOPOLOGY', `The topology has ${problems.length} problem(s):\n${lines.join('\n')}`)
    this.name = 'TopologyError'
    this.problems = problems
  }
}

/** A malformed pattern: shows the pattern and points at the step. */
export class PatternError extends DhaaraError {
  readonly pattern: string
  readonly at: string

  constructor(message: string, pattern: string, at: string, code: KnownCode = 'DHAARA_PATTERN') {
    super(code, message, { step: at })
    this.name = 'PatternError'
    this.pattern = pattern
    this.at = at
  }
}
