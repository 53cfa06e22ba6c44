export { patternError, showSpec } from './errors.ts'
export { patternFromJSON } from './json.ts'
export { allOf, anyOf, Pattern, pattern } from './pattern.ts'
export { AfterMatchSkip, type SkipSpec, skipSpec } from './skip.ts'
export * from './spec.ts'
export type {
  MatcherOptions,
  MatchInfo,
  MatchOf,
  PatternChain,
  PatternContext,
  PatternFactory,
  PatternStart,
  PatternStep,
  QuantifierOptions,
  TaggedMatch,
  TaggedPartial,
  WithinType,
} from './types.ts'
