import type { brand } from '../brand.ts'
import type { Flat, NewName } from '../helpers.ts'
import type { Duration, Timestamp } from '../time/index.ts'

/** A finished pattern over events T; M is the match: a name -> its events, in the pattern's order. */
export interface Pattern<in T, out M> {
  readonly [brand]: (event: T) => M
  /** The pattern in words, one step a line. */
  describe(): string
  /** The automaton's steps as a Mermaid flow chart. */
  toMermaid(): string
}

export type MatchOf<P> = P extends Pattern<never, infer M> ? M : never

/** Where a pattern begins. Typed: `pattern<T>()`, or `stream.match((p) => p.begin(…))`. */
export interface PatternStart<T> {
  begin<N extends string>(name: NewName<N, {}>): PatternStep<T, {}, N, T, never>
  begin<G>(group: Pattern<T, G>): PatternStep<T, {}, never, G, 'group'>
  /** One of them: the names of the others are absent. */
  anyOf<P extends readonly Pattern<T, any>[]>(...alternatives: P): Pattern<T, Partial<AllMatches<P>>>
  /** All of them, in any order. */
  allOf<P extends readonly Pattern<T, any>[]>(...parts: P): Pattern<T, AllMatches<P>>
}

/** `Pattern.begin` is untyped: for inner groups and tools. */
export interface PatternFactory extends PatternStart<any> {
  fromJSON(json: unknown): Pattern<any, Readonly<Record<string, readonly any[]>>>
}

type AllMatches<P extends readonly Pattern<never, any>[]> = Flat<
  Meet<P[number] extends infer Q ? (Q extends Pattern<never, infer M> ? (match: M) => void : never) : never>
>
type Meet<F> = [F] extends [(match: infer M) => void] ? M : never

/** What can follow a step. Contiguity is Flink's: `next` strict, `followedBy` relaxed, `followedByAny` non-deterministic. */
export interface PatternChain<T, M> extends Pattern<T, M> {
  next<N extends string>(name: NewName<N, M>): PatternStep<T, M, N, T, never>
  next<G>(group: Pattern<T, G>): PatternStep<T, M, never, G, 'group'>
  followedBy<N extends string>(name: NewName<N, M>): PatternStep<T, M, N, T, never>
  followedBy<G>(group: Pattern<T, G>): PatternStep<T, M, never, G, 'group'>
  followedByAny<N extends string>(name: NewName<N, M>): PatternStep<T, M, N, T, never>
  followedByAny<G>(group: Pattern<T, G>): PatternStep<T, M, never, G, 'group'>
  notNext<N extends string>(name: NewName<N, M>): PatternStep<T, M, N, T, 'not'>
  /** As the last step only together with `within`. */
  notFollowedBy<N extends string>(name: NewName<N, M>): PatternStep<T, M, N, T, 'not'>
  /** Left-inclusive, right-exclusive. The whole pattern, or from the event before to this step's. */
  within(d: Duration, type?: WithinType): PatternChain<T, M>
}

export type WithinType = 'firstToLast' | 'previousToCurrent'

type StepFlag = 'group' | 'not' | 'loop' | 'times' | 'optional' | 'greedy' | 'consecutive' | 'combinations' | 'until'

/** Required steps have at least one event; optional ones that did not match have no property. */
type Matched<D, N extends string, E, F extends StepFlag> = 'not' extends F
  ? D
  : 'group' extends F
    ? Flat<D & ('optional' extends F ? Partial<E> : E)>
    : 'optional' extends F
      ? Flat<D & { readonly [P in N]?: readonly [E, ...E[]] }>
      : Flat<D & { readonly [P in N]: readonly [E, ...E[]] }>

/** Step of name N and event E after the match D, with what was already said of it in F: what cannot be said any more is gone. */
export type PatternStep<T, D, N extends string, E, F extends StepFlag> = PatternChain<T, Matched<D, N, E, F>> &
  ('group' extends F ? unknown : StepConditions<T, D, N, E, F>) &
  ([F & ('not' | 'loop' | 'times')] extends [never] ? StepQuantifiers<T, D, N, E, F> : unknown) &
  ([F & ('not' | 'optional')] extends [never]
    ? { /** May match nothing. */ optional(): PatternStep<T, D, N, E, F | 'optional'> }
    : unknown) &
  ([F & ('loop' | 'times')] extends [never] ? unknown : StepLoop<T, D, N, E, F>)

interface StepConditions<T, D, N extends string, E, F extends StepFlag> {
  /** Several are joined by and. */
  where<S extends E>(guard: (event: E, ctx: PatternContext<D, N, E>) => event is S): PatternStep<T, D, N, S, F>
  where(condition: (event: E, ctx: PatternContext<D, N, E>) => boolean): PatternStep<T, D, N, E, F>
  or(condition: (event: T, ctx: PatternContext<D, N, T>) => boolean): PatternStep<T, D, N, T, F>
  subtype<S extends E>(guard: (event: E) => event is S): PatternStep<T, D, N, S, F>
}

/** `gap`: the largest time between two repetitions. */
export interface QuantifierOptions {
  readonly gap?: Duration
}

interface StepQuantifiers<T, D, N extends string, E, F extends StepFlag> {
  oneOrMore(opts?: QuantifierOptions): PatternStep<T, D, N, E, F | 'loop'>
  timesOrMore(n: number, opts?: QuantifierOptions): PatternStep<T, D, N, E, F | 'loop'>
  times(n: number, opts?: QuantifierOptions): PatternStep<T, D, N, E, F | 'times'>
  times(from: number, to: number, opts?: QuantifierOptions): PatternStep<T, D, N, E, F | 'times'>
}

type StepLoop<T, D, N extends string, E, F extends StepFlag> = ('loop' extends F
  ? 'until' extends F
    ? unknown
    : {
        until(condition: (event: T, ctx: PatternContext<D, N, E>) => boolean): PatternStep<T, D, N, E, F | 'until'>
      }
  : unknown) &
  ([F & ('greedy' | 'combinations')] extends [never] ? { greedy(): PatternStep<T, D, N, E, F | 'greedy'> } : unknown) &
  ([F & ('consecutive' | 'combinations')] extends [never]
    ? {
        consecutive(): PatternStep<T, D, N, E, F | 'consecutive'>
        allowCombinations(): PatternStep<T, D, N, E, F | 'combinations'>
      }
    : unknown)

/** What the run has taken so far; counts and sums are kept, not recomputed. */
export interface PatternContext<D, N extends string = never, E = never> {
  readonly timestamp: Timestamp
  eventsFor<P extends (keyof D & string) | N>(
    name: P,
  ): P extends keyof D ? ({} extends Pick<D, P> ? readonly EventOf<D[P]>[] : D[P]) : readonly E[]
  count(name: (keyof D & string) | N): number
  last<P extends (keyof D & string) | N>(name: P): P extends keyof D ? EventOf<D[P]> | undefined : E | undefined
  /** `of` must depend on its event alone: it is called once for each event of a run. */
  sum<P extends (keyof D & string) | N>(name: P, of: (event: P extends keyof D ? EventOf<D[P]> : E) => number): number
}
type EventOf<A> = NonNullable<A> extends readonly (infer E)[] ? E : never

export interface AfterMatchSkip<out N extends string = never> {
  readonly [brand]: ['skip', N]
}

/** What becomes of the other partial matches once there is a match. */
export interface AfterMatchSkipFactory {
  /** Every match is given. */
  none(): AfterMatchSkip
  /** Drops the partial matches that begin with the event the match begins with. */
  toNext(): AfterMatchSkip
  /** Drops the partial matches that began after the match began and before it ended. */
  pastLastEvent(): AfterMatchSkip
  /** Drops the partial matches that began before the first event of `name`. */
  toFirst<N extends string>(name: N, opts?: { readonly throwOnMiss?: boolean }): AfterMatchSkip<N>
  /** Drops the partial matches that began before the last event of `name`. */
  toLast<N extends string>(name: N, opts?: { readonly throwOnMiss?: boolean }): AfterMatchSkip<N>
}

/** What a matcher needs to know beyond its pattern. `MatchOptions` of a stream adds naming, storage and time. */
export interface MatcherOptions<T, M> {
  readonly skip?: AfterMatchSkip<NoInfer<keyof M & string>>
  /** Live partial matches of one key. */
  readonly maxPartials?: number
  /** What happens at `maxPartials`; 'fail' if nothing is said. */
  readonly whenFull?: 'dropOldest' | 'dropNewest' | 'fail'
  /** Order among events of one timestamp; arrival order without it. */
  orderBy?(a: T, b: T): number
}

/** Timestamps of a match's first and last event. */
export interface MatchInfo {
  readonly start: Timestamp
  readonly end: Timestamp
}

export type TaggedMatch<P> = {
  [N in keyof P & string]: { readonly pattern: N; readonly match: MatchOf<P[N]> }
}[keyof P & string]
export type TaggedPartial<P> = {
  [N in keyof P & string]: { readonly pattern: N; readonly match: Partial<MatchOf<P[N]>> }
}[keyof P & string]
