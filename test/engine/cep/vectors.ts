import { readFileSync } from 'node:fs'
import type { Condition, Pattern } from '../../../src/dsl/pattern/index.ts'
import { AfterMatchSkip, patternFromJSON } from '../../../src/dsl/pattern/index.ts'

/** The format is described in test/vectors/README.md. */
export interface VectorEvent {
  readonly id: number
  readonly ts: number
  readonly price: number
}
export interface Vector {
  readonly id: string
  readonly kind: 'nfa' | 'operator'
  readonly events: readonly VectorEvent[]
  readonly pattern: { readonly steps: readonly object[] }
  readonly within: number | null
  readonly skip: { readonly kind: string; readonly to?: string; readonly throwOnMiss?: boolean }
  readonly handleTimeout?: boolean
  readonly expected?: readonly number[][]
  readonly expectedStrictGap?: readonly number[][]
  readonly expectedByName?: readonly Readonly<Record<string, number[]>>[]
  readonly expectedTimeouts?: readonly { readonly match: Readonly<Record<string, number[]>>; readonly ts: number }[]
  readonly expectedLate?: readonly number[]
  readonly expectedLateCount?: number
  readonly expectedLivePartialsAfter?: number
  readonly expectedRetainedEvents?: number
  readonly expectedMatchCount?: number
  readonly expectedError?: string
  readonly finalAdvance?: number
  readonly noAdvanceBetween?: boolean
  readonly unsure?: boolean
  readonly flags?: Readonly<Record<string, boolean>>
  readonly timeMode?: 'event' | 'processing'
  readonly keyBy?: string | null
  readonly comparator?: { readonly field: string; readonly order: 'asc' | 'desc' } | null
  readonly script?: readonly Readonly<Record<string, unknown>>[]
}
export type Call = readonly [method: string, ...args: unknown[]]
export interface Vectors {
  readonly vectors: readonly Vector[]
  readonly invalidPatterns: readonly { readonly calls: readonly Call[]; readonly error: string }[]
  readonly emptyMatch: readonly { readonly calls: readonly Call[]; readonly canMatchEmpty: boolean }[]
  readonly windowTime: readonly { readonly calls: readonly Call[]; readonly effectiveWithinMs: number }[]
}

/** `CEP_VECTORS` names another file of the same format. */
export const vectors: Vectors = JSON.parse(
  readFileSync(process.env['CEP_VECTORS'] ?? new URL('../../vectors/cep.json', import.meta.url), 'utf8'),
)

/** `{js}`: an expression over (event, ctx), as the vectors spell iterative conditions. */
const script = (json: Readonly<Record<string, unknown>>): Condition | undefined => {
  const source = json['js']
  if (typeof source !== 'string') return undefined
  const fn = new Function('event', 'ctx', `return (${source})`)
  return (event, ctx) => fn(event, { eventsFor: ctx.eventsFor, timestamp: () => ctx.timestamp }) === true
}

export function patternOf(vector: Vector): Pattern<any, any> {
  const { pattern, within } = vector
  return patternFromJSON<any>(within === null ? pattern : { ...pattern, within }, script)
}

export function skipOf({ skip }: Vector): AfterMatchSkip<any> {
  const opts = { throwOnMiss: skip.throwOnMiss === true }
  if (skip.kind === 'skipToFirst') return AfterMatchSkip.toFirst(skip.to as string, opts)
  if (skip.kind === 'skipToLast') return AfterMatchSkip.toLast(skip.to as string, opts)
  if (skip.kind === 'skipToNext') return AfterMatchSkip.toNext()
  return skip.kind === 'skipPastLastEvent' ? AfterMatchSkip.pastLastEvent() : AfterMatchSkip.none()
}

/** A match by name, its events by id. */
export const idsByName = (match: object): Record<string, number[]> =>
  Object.fromEntries(Object.entries(match).map(([name, events]) => [name, events.map((e: VectorEvent) => e.id)]))

/** A match as the set of its ids, in one spelling. */
export const idSet = (ids: readonly number[]): string => ids.toSorted((a, b) => a - b).join(' ')
export const allIds = (match: object): number[] => Object.values(idsByName(match)).flat()
export const multiset = (matches: readonly (readonly number[])[]): string[] => matches.map(idSet).toSorted()
