import { type Duration, toMs } from '../time/index.ts'
import { show } from '../vault.ts'
import { describe, toMermaid } from './describe.ts'
import { type PatternFault, patternError } from './errors.ts'
import type { Condition, Contiguity, PatternSpec, QuantifierSpec, StepSpec } from './spec.ts'
import { isNot, namesOf, patterns } from './spec.ts'
import type { QuantifierOptions, WithinType } from './types.ts'

/**
 * The fluent surface without its types: every call gives a new, frozen chain, or throws a PatternError that shows the
 * pattern and points at the step. What the types forbid is refused here too, since plain JavaScript can call it.
 */
export class Chain {
  private readonly steps: readonly StepSpec[]

  constructor(steps: readonly StepSpec[]) {
    this.steps = steps
    patterns.put(this, Object.freeze({ kind: 'sequence', steps: Object.freeze(steps) }))
  }

  next(what: unknown): Chain {
    return this.add('next', what)
  }
  followedBy(what: unknown): Chain {
    return this.add('followedBy', what)
  }
  followedByAny(what: unknown): Chain {
    return this.add('followedByAny', what)
  }
  notNext(what: unknown): Chain {
    return this.add('notNext', what)
  }
  notFollowedBy(what: unknown): Chain {
    return this.add('notFollowedBy', what)
  }

  where(condition: unknown): Chain {
    return this.condition('where', condition, (old, more) => (e, ctx) => old(e, ctx) && more(e, ctx))
  }
  subtype(guard: unknown): Chain {
    return this.condition('subtype', guard, (old, more) => (e, ctx) => old(e, ctx) && more(e, ctx))
  }
  or(condition: unknown): Chain {
    return this.condition('or', condition, (old, more) => (e, ctx) => old(e, ctx) || more(e, ctx))
  }

  oneOrMore(opts?: QuantifierOptions): Chain {
    return this.quantify('oneOrMore', [], 1, null, opts)
  }
  timesOrMore(n: number, opts?: QuantifierOptions): Chain {
    return this.quantify('timesOrMore', [n], n, null, opts)
  }
  times(from: number, to?: number | QuantifierOptions, opts?: QuantifierOptions): Chain {
    if (typeof to !== 'number') return this.quantify('times', [from], from, from, to)
    const chain = this.quantify('times', [from, to], from === 0 ? 1 : from, to, opts)
    return from === 0 ? chain.change('', { optional: true }) : chain
  }

  optional(): Chain {
    const call = 'optional()'
    if (isNot(this.last.contiguity)) this.fail('malformed', call, 'a step that must not match cannot be optional')
    if (this.last.optional) this.fail('malformed', call, 'the step is optional already')
    if (this.steps.at(-2)?.quantifier?.greedy === true) {
      this.fail('malformed', call, 'an optional step cannot follow a greedy one')
    }
    return this.change(call, { optional: true })
  }

  greedy(): Chain {
    const call = 'greedy()'
    const quantifier = this.repeated(call)
    if (this.last.body !== null) this.fail('malformed', call, 'a group cannot be greedy')
    if (quantifier.inner === 'any')
      this.fail('malformed', call, 'allowCombinations() leaves nothing to be greedy about')
    return this.change(call, { quantifier: { ...quantifier, greedy: true } })
  }

  consecutive(): Chain {
    return this.inner('consecutive()', 'strict')
  }
  allowCombinations(): Chain {
    return this.inner('allowCombinations()', 'any')
  }

  until(condition: unknown): Chain {
    const call = `until(${text(condition)})`
    const quantifier = this.repeated(call)
    if (quantifier.max !== null) this.fail('malformed', call, 'only oneOrMore() and timesOrMore() have an until()')
    if (quantifier.until !== null) this.fail('malformed', call, 'the step has an until() already')
    return this.change(call, { quantifier: { ...quantifier, until: this.fn(call, condition) } })
  }

  within(d: Duration, type: WithinType = 'firstToLast'): Chain {
    const call = type === 'firstToLast' ? `within(${show(d)})` : `within(${show(d)}, ${show(type)})`
    const ms = this.ms(call, 'within', d)
    if (type === 'firstToLast') return this.change(call, { within: ms })
    if (type === 'previousToCurrent') return this.change(call, { withinPrevious: ms })
    return this.fail('argument', call, "expected 'firstToLast' or 'previousToCurrent' as the second argument")
  }

  describe(): string {
    return describe({ kind: 'sequence', steps: this.steps })
  }
  toMermaid(): string {
    return toMermaid({ kind: 'sequence', steps: this.steps })
  }

  private get last(): StepSpec {
    return this.steps.at(-1) as StepSpec
  }

  private add(contiguity: Contiguity, what: unknown): Chain {
    const step = stepOf(contiguity, what, this.steps)
    if (isNot(contiguity) && this.last.optional) {
      const cure = 'match two patterns instead, one with the optional step and one without'
      this.fail('unsupported', step.calls, `after an optional step nothing can be forbidden; ${cure}`)
    }
    return new Chain([...this.steps, step])
  }

  private condition(name: string, given: unknown, join: (old: Condition, more: Condition) => Condition): Chain {
    const call = `${name}(${text(given)})`
    if (this.last.body !== null) this.fail('unsupported', call, 'a group has no condition of its own; its steps have')
    const more = this.fn(call, given)
    const old = this.last.condition
    return this.change(call, { condition: old === null ? more : join(old, more) })
  }

  private quantify(name: string, args: number[], min: number, max: number | null, opts?: QuantifierOptions): Chain {
    const call = `${name}(${args.join(', ')}${opts?.gap === undefined ? '' : `${args.length > 0 ? ', ' : ''}{ gap: ${show(opts.gap)} }`})`
    if (isNot(this.last.contiguity)) this.fail('malformed', call, 'a step that must not match has no quantifier')
    if (this.last.quantifier !== null) this.fail('malformed', call, 'the step has a quantifier already')
    if (!Number.isSafeInteger(min) || min < 1) this.fail('argument', call, 'expected a whole number of at least 1')
    if (max !== null && (!Number.isSafeInteger(max) || max < min)) {
      this.fail('argument', call, 'expected a whole number that is not less than the first')
    }
    const strange = opts === undefined || isOptions(opts) ? undefined : opts
    if (strange !== undefined) {
      this.fail('argument', call, `found ${shown(strange)} as the last argument; expected {gap: duration}`)
    }
    const gap = opts?.gap === undefined ? null : this.ms(call, `${name} gap`, opts.gap)
    return this.change(call, { quantifier: { min, max, inner: 'relaxed', greedy: false, until: null, gap } })
  }

  private inner(call: string, inner: 'strict' | 'any'): Chain {
    const quantifier = this.repeated(call)
    if (quantifier.inner !== 'relaxed') {
      this.fail('malformed', call, 'consecutive() and allowCombinations() exclude each other and stand once')
    }
    return this.change(call, { quantifier: { ...quantifier, inner } })
  }

  private repeated(call: string): QuantifierSpec {
    const { quantifier } = this.last
    return quantifier ?? this.fail('malformed', call, 'the step has no quantifier; call oneOrMore() or times(n) before')
  }

  private fn(call: string, given: unknown): Condition {
    if (typeof given !== 'function') this.fail('argument', call, 'expected a function (event, ctx) => boolean')
    return given as Condition
  }

  private ms(call: string, what: string, d: Duration): number {
    try {
      return toMs(d, what, 1)
    } catch (error) {
      return this.fail('argument', call, (error as Error).message)
    }
  }

  private change(call: string, part: Partial<StepSpec>): Chain {
    const calls = call === '' ? this.last.calls : `${this.last.calls}.${call}`
    return new Chain([...this.steps.slice(0, -1), Object.freeze({ ...this.last, ...part, calls })])
  }

  private fail(fault: PatternFault, call: string, problem: string): never {
    const steps = [...this.steps.slice(0, -1), { ...this.last, calls: `${this.last.calls}.${call}` }]
    throw patternError(fault, `${call}: ${problem}`, steps, steps.length - 1)
  }
}

const isOptions = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && Object.keys(given).every((key) => key === 'gap')

const shown = (given: unknown): string =>
  typeof given === 'object' && given !== null ? `{${Object.keys(given).join(', ')}}` : show(given)

/** A step as it begins: `what` is its name, or the pattern of a group. */
export function stepOf(contiguity: Contiguity, what: unknown, before: readonly StepSpec[]): StepSpec {
  const body: PatternSpec | null = patterns.has(what) ? patterns.open(what) : null
  const step: StepSpec = Object.freeze({
    contiguity,
    name: body === null ? (what as string) : null,
    body,
    condition: null,
    optional: false,
    quantifier: null,
    within: null,
    withinPrevious: null,
    calls: `${contiguity}(${body === null ? show(what) : 'group'})`,
  })
  const steps = [...before, step]
  const fail = (fault: PatternFault, problem: string): never => {
    throw patternError(fault, problem, steps, steps.length - 1)
  }
  if (body !== null && isNot(contiguity)) fail('unsupported', 'only a single step can be forbidden, not a group')
  if (body === null && (typeof what !== 'string' || what === '')) {
    fail('argument', `found ${show(what)}; expected the name of a step or a pattern`)
  }
  if (body === null && (/^\d+$/.test(what as string) || what === '__proto__')) {
    fail('argument', `found the name ${show(what)}; expected one that is no integer, since integers reorder a match`)
  }
  const taken = new Set(before.length === 0 ? [] : namesOf({ kind: 'sequence', steps: before }, true))
  const twice = (body === null ? [what as string] : namesOf(body, true)).find((name) => taken.has(name))
  if (twice !== undefined) fail('malformed', `the name ${show(twice)} is taken; the names of a pattern are unique`)
  return step
}

/** A condition as an error shows it. */
function text(condition: unknown): string {
  if (typeof condition !== 'function') return show(condition)
  const source = condition.toString().replaceAll(/\s+/g, ' ')
  return source.length > 60 ? `${source.slice(0, 57)}...` : source
}
