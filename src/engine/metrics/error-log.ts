import type { DhaaraError } from '../../errors/index.ts'

/** Errors of one kind: the same code in the same step, thrown at the same place. */
export interface ErrorReport {
  readonly code: string
  readonly step: string | undefined
  /** Of the last one. */
  readonly message: string
  /** Of what user code threw, where it did: its first lines are the user's. */
  readonly stack: string | undefined
  /** Of the record of the last one. */
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly offset: number | undefined
  /** What the policy said of the last one. */
  readonly action: string
  readonly count: number
  /** Epoch ms. */
  readonly firstAt: number
  readonly lastAt: number
}

export interface ErrorPlace {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
}

const mostKinds = 100

/** What went wrong with records, by kind: a million times the same is one line with a count. */
export class ErrorLog {
  private readonly kinds = new Map<string, { -readonly [F in keyof ErrorReport]: ErrorReport[F] }>()

  note(error: DhaaraError, place: ErrorPlace, action: string, at: number): void {
    const stack = stackOf(error)
    const kind = `${error.code} ${error.step ?? ''} ${firstFrame(stack)}`
    const known = this.kinds.get(kind)
    const { topic, partition, offset } = place
    const now = { code: error.code, step: error.step, message: error.message, stack, topic, partition, offset, action }
    if (known !== undefined) {
      Object.assign(known, now)
      known.count++
      known.lastAt = at
      return
    }
    if (this.kinds.size >= mostKinds) this.kinds.delete(this.kinds.keys().next().value as string)
    this.kinds.set(kind, { ...now, count: 1, firstAt: at, lastAt: at })
  }

  /** Oldest kind first. */
  all(): ErrorReport[] {
    return [...this.kinds.values()].map((kind) => ({ ...kind }))
  }
}

/** Of several threads, the same kinds together. */
export function mergeErrors(logs: readonly (readonly ErrorReport[])[]): ErrorReport[] {
  const kinds = new Map<string, ErrorReport>()
  for (const one of logs.flat()) {
    const kind = `${one.code} ${one.step ?? ''} ${firstFrame(one.stack ?? '')}`
    const known = kinds.get(kind)
    if (known === undefined) kinds.set(kind, one)
    else {
      const last = known.lastAt > one.lastAt ? known : one
      const firstAt = Math.min(known.firstAt, one.firstAt)
      kinds.set(kind, { ...last, count: known.count + one.count, firstAt })
    }
  }
  return [...kinds.values()].sort((a, b) => b.lastAt - a.lastAt)
}

/** What the user's code threw, where that is the cause. */
function stackOf(error: DhaaraError): string {
  let cause: unknown = error.cause
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  return (cause instanceof Error ? cause.stack : error.stack) ?? ''
}

const firstFrame = (stack: string): string => /\n\s+at (.*)/.exec(stack)?.[1] ?? ''
