import { Chain, stepOf } from './chain.ts'
import { Choice } from './choice.ts'
import { patternFromJSON } from './json.ts'
import type { Pattern as PatternType, PatternFactory, PatternStart } from './types.ts'

const start = {
  begin: (what: unknown) => new Chain([stepOf('begin', what, [])]),
  anyOf: (...alternatives: unknown[]) => new Choice('anyOf', alternatives),
  allOf: (...parts: unknown[]) => new Choice('allOf', parts),
}

export type Pattern<T, M> = PatternType<T, M>

/**
 * Begins a pattern whose events are not typed: for inner groups and for tools. `Pattern.fromJSON` reads one from data.
 * @see pattern for typed events
 */
export const Pattern = Object.freeze({
  ...start,
  fromJSON: (json: unknown) => patternFromJSON(json),
}) as unknown as PatternFactory

/**
 * Begins a pattern over events T. Every call gives a new pattern, so parts can be shared.
 * @example
 * pattern<Trade>()
 *   .begin('first')
 *   .next('rising').where((t, ctx) => t.price > (ctx.last('rising') ?? ctx.last('first')!).price).times(3).consecutive()
 *   .within('3m')
 * @throws PatternError from the call that makes no sense, or from the matcher if only the whole pattern shows it
 */
export function pattern<T>(): PatternStart<T> {
  return Pattern as PatternStart<T>
}

/** One of the patterns: the names of the others are absent from the match. */
export const anyOf: PatternStart<any>['anyOf'] = Pattern.anyOf

/** All of the patterns, in any order, one after the other. */
export const allOf: PatternStart<any>['allOf'] = Pattern.allOf
