import type { SkipSpec } from '../../dsl/pattern/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { lastOf, type MatchNode } from './buffer.ts'
import type { Complete } from './run.ts'

/** Partial matches that began before this event are dropped; null: none is. */
export interface SkipFrom {
  readonly ts: number
  readonly seq: number
}

/**
 * Where a match makes its skip strategy go on.
 * @throws DhaaraError DHAARA_PATTERN_SKIP with `throwOnMiss`, if the match has no event of the step, or begins with it
 */
export function skipFrom(skip: SkipSpec, match: Complete, names: readonly string[]): SkipFrom | null {
  const { kind, to } = skip
  if (kind === 'toNext') return { ts: match.startTs, seq: match.startSeq + 1 }
  if (kind === 'pastLastEvent') return { ts: match.tail.event.ts, seq: match.tail.event.seq + 1 }
  const last = lastOf(match.tail, names.indexOf(to as string))
  if (last === null) {
    if (skip.throwOnMiss) miss(skip, 'the match has no event of that step')
    return null
  }
  const { ts, seq } = (kind === 'toLast' ? last : firstOf(last)).event
  if (skip.throwOnMiss && seq === match.startSeq) {
    miss(skip, 'the match begins with that event, so it would be found again and again')
  }
  return { ts, seq }
}

function firstOf(last: MatchNode): MatchNode {
  let first = last
  while (first.n > 1) first = lastOf(first.prev, first.step) as MatchNode
  return first
}

function miss({ kind, to }: SkipSpec, why: string): never {
  const cure = 'take another step or strategy, or leave throwOnMiss out'
  throw new DhaaraError('DHAARA_PATTERN_SKIP', `AfterMatchSkip.${kind}(${JSON.stringify(to)}): ${why}; ${cure}`)
}
