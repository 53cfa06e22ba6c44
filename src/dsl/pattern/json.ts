/**
 * Patterns as data.
 *
 *     {
 *       "steps": [
 *         { "contiguity": "begin", "name": "large", "where": { "field": "size", "op": "gt", "value": 50000 } },
 *         { "contiguity": "followedBy", "name": "small", "where": { "all": [{ "field": "side", "op": "eq", "value": "sell" }] },
 *           "quantifier": { "min": 1, "max": null, "optional": false, "greedy": true, "until": null, "gapMs": 3000 } },
 *         { "contiguity": "next", "group": { "steps": [ … ] } },
 *         { "contiguity": "followedBy", "anyOf": [{ "steps": [ … ] }, { "steps": [ … ] }] }
 *       ],
 *       "within": 60000
 *     }
 *
 * `contiguity`: begin, next, followedBy, followedByAny, notNext, notFollowedBy. A step has a `name`, or a `group`, or
 * `anyOf` or `allOf` patterns. `where` and `until`: true, `{field, op, value}`, `{all: […]}`, `{any: […]}`; op is one of
 * eq ne gt lt gte lte contains startsWith endsWith; a field `a.b` is field b of field a; values of different types are
 * never equal and never ordered. `quantifier`: `{min, max, optional, greedy, consecutive, allowCombinations, until, gapMs}`,
 * max null for no bound, all but min and max may be left out. `withinPrevMs` on a step: the largest time since the event
 * before. `within`: of the whole pattern, milliseconds or '1m'.
 */
import type { Duration } from '../time/index.ts'
import { show } from '../vault.ts'
import { Chain, stepOf } from './chain.ts'
import { Choice } from './choice.ts'
import { PatternError } from '../../errors/index.ts'
import type { Condition, Contiguity } from './spec.ts'
import type { Pattern } from './types.ts'

type Json = Readonly<Record<string, unknown>>
/** Makes a condition of what the format does not know; undefined if it is none. */
export type ConditionReader = (json: Json) => Condition | undefined

/**
 * Reads a pattern from data, for example from a rules topic. The format is described at the head of this file.
 * @param extra reads conditions of other forms
 * @throws PatternError that names the place, for example `steps[2].where.op`
 */
export function patternFromJSON<M = Readonly<Record<string, readonly any[]>>>(
  json: unknown,
  extra?: ConditionReader,
): Pattern<any, M> {
  return new Reader(extra).pattern(json, '') as unknown as Pattern<any, M>
}

const contiguities: readonly Contiguity[] = ['begin', 'next', 'followedBy', 'followedByAny', 'notNext', 'notFollowedBy']

class Reader {
  private readonly extra: ConditionReader | undefined

  constructor(extra: ConditionReader | undefined) {
    this.extra = extra
  }

  pattern(json: unknown, at: string): Chain | Choice {
    const given = object(json, at, ['steps', 'anyOf', 'allOf', 'within'])
    if (given['anyOf'] !== undefined) return this.choice('anyOf', given, at)
    if (given['allOf'] !== undefined) return this.choice('allOf', given, at)
    const steps = list(given['steps'], `${at}steps`)
    let chain: Chain | undefined
    steps.forEach((step, i) => {
      chain = this.step(chain, step, `${at}steps[${i}].`)
    })
    const { within } = given
    return within === undefined || within === null ? (chain as Chain) : (chain as Chain).within(within as Duration)
  }

  private choice(kind: 'anyOf' | 'allOf', given: Json, at: string): Choice {
    const parts = list(given[kind], `${at}${kind}`)
    return new Choice(
      kind,
      parts.map((part, i) => this.pattern(part, `${at}${kind}[${i}].`)),
    )
  }

  private step(before: Chain | undefined, json: unknown, at: string): Chain {
    const fields = ['contiguity', 'name', 'group', 'anyOf', 'allOf', 'where', 'quantifier', 'withinPrevMs', 'within']
    const step = object(json, at, fields)
    const contiguity = step['contiguity'] as Contiguity
    if (!contiguities.includes(contiguity)) refuse(`${at}contiguity`, contiguity, `one of ${contiguities.join(', ')}`)
    if ((contiguity === 'begin') !== (before === undefined)) {
      refuse(`${at}contiguity`, contiguity, before === undefined ? '"begin" for the first step' : '"begin" only first')
    }
    const what = this.body(step, at)
    let chain = before === undefined ? new Chain([stepOf('begin', what, [])]) : before[contiguity as 'next'](what)
    if (step['where'] !== undefined && step['where'] !== true) {
      chain = chain.where(this.condition(step['where'], `${at}where`))
    }
    if (step['quantifier'] !== undefined && step['quantifier'] !== null) {
      chain = this.quantifier(chain, step['quantifier'], `${at}quantifier.`)
    }
    const { withinPrevMs, within } = step
    if (withinPrevMs !== undefined && withinPrevMs !== null) {
      chain = chain.within(withinPrevMs as Duration, 'previousToCurrent')
    }
    return within === undefined || within === null ? chain : chain.within(within as Duration)
  }

  private body(step: Json, at: string): unknown {
    const { name, group } = step
    if (group !== undefined) return this.pattern(group, `${at}group.`)
    if (step['anyOf'] !== undefined) return this.choice('anyOf', step, at)
    if (step['allOf'] !== undefined) return this.choice('allOf', step, at)
    return typeof name === 'string' ? name : refuse(`${at}name`, name, 'the name of the step')
  }

  private quantifier(chain: Chain, json: unknown, at: string): Chain {
    const known = ['min', 'max', 'optional', 'greedy', 'consecutive', 'allowCombinations', 'until', 'gapMs']
    const q = object(json, at, known)
    const { min, max } = q as { min: number; max: number | null }
    if (typeof min !== 'number') refuse(`${at}min`, min, 'a number')
    if (max !== null && typeof max !== 'number') refuse(`${at}max`, max, 'a number, or null for no bound')
    const gap = q['gapMs'] === undefined || q['gapMs'] === null ? {} : { gap: q['gapMs'] as number }
    const { optional, greedy, consecutive, allowCombinations, until } = q
    const once = min === 1 && max === 1 && !greedy && !consecutive && !allowCombinations && !('gap' in gap)
    let out = chain
    if (max === null) out = min === 1 ? out.oneOrMore(gap) : out.timesOrMore(min, gap)
    else if (!once) out = min === max ? out.times(min, gap) : out.times(min, max, gap)
    if (consecutive === true) out = out.consecutive()
    if (greedy === true) out = out.greedy()
    if (allowCombinations === true) out = out.allowCombinations()
    if (until !== undefined && until !== null) out = out.until(this.condition(until, `${at}until`))
    return optional === true && min !== 0 ? out.optional() : out
  }

  private condition(json: unknown, at: string): Condition {
    if (json === true) return () => true
    const given = object(json, at)
    if (given['all'] !== undefined) {
      const all = list(given['all'], `${at}.all`).map((part, i) => this.condition(part, `${at}.all[${i}]`))
      return (event, ctx) => all.every((part) => part(event, ctx))
    }
    if (given['any'] !== undefined) {
      const any = list(given['any'], `${at}.any`).map((part, i) => this.condition(part, `${at}.any[${i}]`))
      return (event, ctx) => any.some((part) => part(event, ctx))
    }
    const own = this.extra?.(given)
    return own ?? comparison(given, at)
  }
}

const comparisons: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  gt: (a, b) => ordered(a, b) && (a as number) > (b as number),
  lt: (a, b) => ordered(a, b) && (a as number) < (b as number),
  gte: (a, b) => ordered(a, b) && (a as number) >= (b as number),
  lte: (a, b) => ordered(a, b) && (a as number) <= (b as number),
  contains: (a, b) => typeof a === 'string' && a.includes(b as string),
  startsWith: (a, b) => typeof a === 'string' && a.startsWith(b as string),
  endsWith: (a, b) => typeof a === 'string' && a.endsWith(b as string),
}
const ordered = (a: unknown, b: unknown): boolean =>
  (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string')

function comparison(json: Json, at: string): Condition {
  const { field, op, value } = object(json, `${at}.`, ['field', 'op', 'value'])
  if (typeof field !== 'string' || field === '') refuse(`${at}.field`, field, 'the name of a field')
  const compare = typeof op === 'string' && Object.hasOwn(comparisons, op) ? comparisons[op] : undefined
  if (compare === undefined) refuse(`${at}.op`, op, `one of ${Object.keys(comparisons).join(', ')}`)
  if (/contains|With/.test(op as string) && typeof value !== 'string') refuse(`${at}.value`, value, 'text')
  const path = (field as string).split('.')
  const test = compare as (a: unknown, b: unknown) => boolean
  return (event: unknown) => test(path.reduce(own, event), value)
}

const own = (of: unknown, key: string): unknown =>
  typeof of === 'object' && of !== null && Object.hasOwn(of, key) ? (of as Json)[key] : undefined

function object(json: unknown, at: string, known?: readonly string[]): Json {
  const where = at.replace(/\.$/, '') || 'pattern'
  if (typeof json !== 'object' || json === null || Array.isArray(json)) refuse(where, json, 'an object')
  const strange = known && Object.keys(json as Json).find((key) => !known.includes(key))
  if (strange !== undefined) refuse(`${at}${strange}`, (json as Json)[strange], `only ${known?.join(', ')}`)
  return json as Json
}

function list(json: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(json) || json.length === 0) refuse(at, json, 'a list that is not empty')
  return json as unknown[]
}

function refuse(at: string, found: unknown, expected: string): never {
  throw new PatternError(`${at}: found ${show(found)}; expected ${expected}`, '', at, 'DHAARA_PATTERN_ARGUMENT')
}
