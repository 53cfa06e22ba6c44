import { DhaaraError } from '../../errors/index.ts'
import { needCount, needFunction, needOneOf } from '../checks.ts'
import type { Handle } from '../handle.ts'
import { present } from '../helpers.ts'
import type { SerdeOptions } from '../options.ts'
import { type PatternSpec, pattern, patterns, skipSpec } from '../pattern/index.ts'
import { storeSpec } from '../stores/index.ts'
import { show } from '../vault.ts'
import { LateOutputs } from '../windowed/late.ts'
import type { LateOptions, LateSink } from '../windowed/types.ts'
import type { MatchedStream, MatchOptions } from './types.ts'

interface Given {
  readonly patterns: Readonly<Record<string, PatternSpec>>
  readonly tagged: boolean
}
type SelectOptions = SerdeOptions<any, any> & { timedOut?(partial: any, key: any, at: number): unknown }

/** One pattern, a function that makes one, or several by name. */
function openPatterns(given: unknown): Given {
  if (typeof given === 'function') return { patterns: { '': patterns.open(given(pattern())) }, tagged: false }
  if (patterns.has(given) || typeof given !== 'object' || given === null) {
    return { patterns: { '': patterns.open(given) }, tagged: false }
  }
  const entries = Object.entries(given)
  if (entries.length === 0) {
    throw new DhaaraError(
      'DHAARA_OPTION',
      `match: found ${show(given)} without patterns, expected at least one, e.g. {a: pattern}`,
    )
  }
  return { patterns: Object.fromEntries(entries.map(([name, one]) => [name, patterns.open(one)])), tagged: true }
}

/** Behind `MatchedStream`: the step is made when `select` says what a match becomes. */
export class MatchSteps {
  private readonly at: Handle
  private readonly given: Given
  private readonly opts: MatchOptions<any, any>
  private readonly lates: LateOutputs

  private constructor(at: Handle, given: Given, opts: MatchOptions<any, any>, lates: LateOutputs) {
    this.at = at
    this.given = given
    this.opts = opts
    this.lates = lates
  }

  static of(at: Handle, given: unknown, opts: MatchOptions<any, any>): MatchedStream<any, any, any, any> {
    const steps = new MatchSteps(at, openPatterns(given), opts, new LateOutputs())
    return steps as unknown as MatchedStream<any, any, any, any>
  }

  late(sink: LateSink<any, any>, opts: LateOptions<any, any> = {}) {
    return new MatchSteps(this.at, this.given, this.opts, this.lates.with(sink, opts))
  }

  select(fn: unknown, opts: SelectOptions = {}) {
    return this.finish(fn, opts, false)
  }

  flatSelect(fn: unknown, opts: SelectOptions = {}) {
    return this.finish(fn, opts, true)
  }

  private finish(fn: unknown, select: SelectOptions, flat: boolean) {
    const { draft, node } = this.at
    const opts = this.opts
    const base = draft.step('match', [node], select.name ?? opts.name)
    const events = opts.value ?? node.value
    const match = draft.add({
      ...base,
      kind: 'match',
      table: false,
      key: select.key ?? node.key,
      value: select.value,
      ...this.given,
      skip: skipSpec(opts.skip),
      ...present({
        maxPartials: opts.maxPartials === undefined ? undefined : needCount(opts.maxPartials, 'match maxPartials'),
        orderBy: opts.orderBy,
        timedOut: select.timedOut,
      }),
      whenFull: needOneOf(opts.whenFull ?? 'fail', 'match whenFull', ['dropOldest', 'dropNewest', 'fail']),
      time: needOneOf(opts.time ?? 'event', 'match time', ['event', 'processing']),
      events,
      select: needFunction(fn, flat ? 'flatSelect' : 'select'),
      flat,
      store: storeSpec(opts.store, { step: base.name }),
    })
    this.lates.attach(draft, match, { key: node.key, value: events })
    return draft.stream(match)
  }
}
