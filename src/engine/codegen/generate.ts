import type { MapNode, SplitNode } from '../../dsl/plan/index.ts'
import type { Edge, Step, SubTopology } from '../plan/physical.ts'
import { followsPresent, versionedRoot } from '../plan/versioned.ts'
import { type CountedFilter, inputLoop } from './loop.ts'
import { fnNames, isCounted, isOperator, isOutlet } from './steps.ts'
import { type Traits, traitsOf } from './traits.ts'

/** Steps that each record of a loop goes through, one after the other, until one of them drops it. */
interface Line {
  readonly filters: CountedFilter[]
  /** Since the last of the filters. */
  steps: number[]
}

/** Gives one record for one, or none. */
const inLine: ReadonlySet<Step['op']['kind']> = new Set(['filter', 'mapValues', 'map', 'selectKey', 'peek', 'forEach'])

/**
 * Emits the JavaScript of one sub-topology: a function for each input that loops over a batch and calls the user's
 * functions at call sites of their own, so that V8 sees one target a site and inlines it. Stateless steps are fused
 * into the loop; stateful steps are `opN.process(…)`, and what follows them is a function `outN`, since time calls it too.
 *
 * Names in the text: `fN` user function of step N, `opN` its operator, `k v o ts` key, value, old value, timestamp.
 * `at` is the step being run: it names the culprit when a user function throws.
 */
export class Generator {
  private readonly sub: SubTopology
  private readonly traits: Traits
  private readonly functions: string[] = []
  private readonly made = new Set<string>()
  private names = 0
  /** The code being made is the copy that reads the clock between steps. */
  private timed = false
  /** Steps whose records the loop being made counts in variables of its own; undefined outside of loops. */
  private tallies: Set<number> | undefined
  /** The code being made is run once a record of the loop at most: undefined where it is not so, or no longer. */
  private line: Line | undefined

  constructor(sub: SubTopology) {
    this.sub = sub
    this.traits = traitsOf(sub)
  }

  /** Body of a `new Function('env', …)`, which gives `{inputs: {stepId: run}, outs, lates}`. */
  text(): string {
    const inputs = this.sub.inputs.map((step) => `${step.id}: ${this.loop(step)}`)
    const stateful = this.sub.steps.filter(isOperator)
    const outs = stateful.map((step) => `${step.id}: ${this.out(step)}`)
    const lates = this.sub.steps
      .filter((step) => step.op.kind === 'late')
      .map((step) => `${(step.inputs[0] as Step).id}: ${this.outOf(step)}`)
    this.timed = true
    const timed = this.sub.inputs.map((step) => `${step.id}: ${this.loop(step)}`)
    for (const step of stateful) this.functions.push(this.out(step))
    for (const step of this.sub.steps) if (step.op.kind === 'late') this.functions.push(this.outOf(step))
    const names = this.sub.steps.flatMap((step) => [
      ...fnNames(step).map((name, i) => `const ${name} = env.fns[${step.id}][${i}]`),
      ...(isOperator(step) || isOutlet(step) ? [`const op${step.id} = env.ops[${step.id}]`] : []),
    ])
    return [
      "'use strict'",
      'const { rec, clock, fail, meter } = env, counts = meter.counts',
      ...names,
      ...this.functions,
      `return { inputs: { ${inputs.join(',\n')} }, timed: { ${timed.join(',\n')} }, outs: { ${outs.join(',\n')} }, lates: { ${lates.join(',\n')} } }`,
    ].join('\n')
  }

  private loop(step: Step): string {
    const tallies = new Set<number>()
    const line: Line = { filters: [], steps: [] }
    this.tallies = tallies
    this.line = line
    const body = this.bodyOf(step)
    this.tallies = undefined
    this.line = undefined
    return inputLoop(step, body, this.traits, { tallies, filters: line.filters, timed: this.timed })
  }

  /** What an input does with a record: source tables keep it first. */
  private bodyOf(step: Step): string {
    if (isOperator(step)) return `${this.at(step.id)} op${step.id}.process(k, v, ts);`
    return this.deliver(step, 'k', 'v', 'o', 'ts')
  }

  private out(step: Step): string {
    const body = this.deliver(step, 'k', 'v', 'o', 'ts')
    return this.called(`out${step.id}`, step.table ? 'k, v, o, ts' : 'k, v, ts', this.guarded(step, body))
  }

  private outOf(step: Step): string {
    const body = this.deliver(step, 'k', 'v', 'undefined', 'ts')
    return this.called(`late${step.id}`, 'k, v, ts', this.guarded(step, body))
  }

  /** What operators call. Within a timed slice the call goes on to the timed copy, and time then goes to the caller again. */
  private called(name: string, args: string, body: string): string {
    if (this.timed) return `function ${name}t(${args}) { const caller = meter.cur; ${body} meter.to(caller) }`
    return `function ${name}(${args}) { if (meter.on) { ${name}t(${args}); return } ${body} }`
  }

  /** The step being run, for whoever catches what it throws; in a timed slice, for its time. */
  private at(id: number): string {
    this.line?.steps.push(id)
    return this.timed ? `at = ${id}; meter.to(${id});` : `at = ${id};`
  }

  /** Counts a record that comes out of a step, where that is not simply what went in. */
  private count(step: Step): string {
    const { id } = step
    if (!isCounted(step) || this.line?.filters.at(-1)?.id === id) return ''
    if (this.tallies === undefined) return `counts[${id}]++;`
    this.tallies.add(id)
    return `n${id}++;`
  }

  /**
   * What a filter does with a record that it drops. On the way of each record, those that are dropped are counted: most filters
   * let most of them pass, and what passes then costs nothing.
   */
  private drop({ id }: Step): string {
    const { line } = this
    if (line === undefined) return ''
    line.filters.push({ id, steps: line.steps })
    line.steps = []
    return `else d${id}++;`
  }

  /** A function's body: what fails in it ends there. */
  private guarded(step: Step, body: string): string {
    return `let at = ${step.id}; ${this.traits.time ? 'rec.ts = ts;' : ''} try { ${body} } catch (e) { rec.ts = ts; fail(e, at, k, v) }`
  }

  /** Hands a record to all who read the step; one who throws does not keep it from the others. */
  private deliver(step: Step, k: string, v: string, o: string, ts: string): string {
    const edges = step.outputs.filter(({ to }) => to.op.kind !== 'late')
    const counted = this.count(step)
    if (edges.length === 1) return `${counted} ${this.enter(edges[0] as Edge, k, v, o, ts)}`
    this.line = undefined
    const each = edges.map((edge) => `try { ${this.enter(edge, k, v, o, ts)} } catch (e) { fail(e, at, ${k}, ${v}) }`)
    return [counted, ...each].join('\n')
  }

  private enter(edge: Edge, k: string, v: string, o: string, ts: string): string {
    const { to } = edge
    const table = edge.to.inputs[edge.port]?.table ?? false
    if (table || !inLine.has(to.op.kind)) this.line = undefined
    if (to.op.kind === 'merge' && to.inputs.length > 1) {
      return `${this.shared(to)}(${k}, ${v}, ${ts});`
    }
    if (!table) return this.record(edge, k, v, ts)
    const root = versionedRoot(to.inputs[edge.port] as Step)
    const change = this.change(edge, k, v, o, ts)
    return root === undefined || !followsPresent(to) ? change : `if (op${root.id}.latest) { ${change} }`
  }

  /** Steps that several paths lead to are functions of their own. */
  private shared(step: Step): string {
    const name = `s${step.id}${this.timed ? 't' : ''}`
    if (this.made.has(name)) return name
    this.made.add(name)
    const { tallies } = this
    this.tallies = undefined
    const body = this.guarded(step, this.deliver(step, 'k', 'v', 'undefined', 'ts'))
    this.tallies = tallies
    this.functions.push(`function ${name}(k, v, ts) { ${body} }`)
    return name
  }

  private record({ to, port }: Edge, k: string, v: string, ts: string): string {
    const { id, op } = to
    const call = `f${id}(${v}, ${k}, rec)`
    const next = (key: string, value: string) => this.deliver(to, key, value, 'undefined', ts)
    switch (op.kind) {
      case 'filter': {
        const [at, drop] = [this.at(id), this.drop(to)]
        return `${at} if (${op.negate ? '!' : ''}${call}) { ${next(k, v)} } ${drop}`
      }
      case 'mapValues': {
        const value = this.name()
        return `${this.at(id)} const ${value} = ${call}; ${next(k, value)}`
      }
      case 'map': {
        const pair = this.name()
        return `${this.at(id)} const ${pair} = ${call}; const ${pair}k = ${pair}[0], ${pair}v = ${pair}[1]; ${next(`${pair}k`, `${pair}v`)}`
      }
      case 'selectKey': {
        const key = this.name()
        return `${this.at(id)} const ${key} = ${call}; ${next(key, v)}`
      }
      case 'flatMap': {
        const pair = this.name()
        const body = `const ${pair}k = ${pair}[0], ${pair}v = ${pair}[1]; ${next(`${pair}k`, `${pair}v`)}`
        return `${this.at(id)} for (const ${pair} of ${call}) { try { ${body} } catch (e) { fail(e, at, ${k}, ${v}) } ${this.at(id)} }`
      }
      case 'flatMapValues': {
        const value = this.name()
        return `${this.at(id)} for (const ${value} of ${call}) { try { ${next(k, value)} } catch (e) { fail(e, at, ${k}, ${v}) } ${this.at(id)} }`
      }
      case 'peek':
      case 'forEach':
        return `${this.at(id)} ${call}; ${next(k, v)}`
      case 'split':
        return this.split(to, op, k, v, ts)
      case 'branch':
      case 'group':
      case 'merge':
      case 'toStream':
        return next(k, v)
      case 'streamTableJoin':
        return port === 1 ? '' : `${this.at(id)} op${id}.process(${k}, ${v}, ${ts});`
      case 'streamJoin':
        return `${this.at(id)} op${id}.${port === 0 ? 'left' : 'right'}(${k}, ${v}, ${ts});`
      case 'broadcast': {
        if (port === 1) return `${this.at(id)} op${id}.process(${k}, ${v}, ${ts});`
        const value = this.name()
        return `${this.at(id)} const ${value} = f${id}(${v}, op${id}, ${k}, rec); ${next(k, value)}`
      }
      case 'process':
        return `${this.at(id)} op${id}.process(${v}, ${k}, ${ts});`
      case 'aggregate':
        return `${this.at(id)} op${id}.process(${k}, ${v}, ${ts}, ${port});`
      default:
        return `${this.at(id)} op${id}.process(${k}, ${v}, ${ts});`
    }
  }

  private split(step: Step, op: SplitNode, k: string, v: string, ts: string): string {
    const branches = (index: number) =>
      step.outputs.filter(({ to }) => to.op.kind === 'branch' && to.op.index === index)
    const body = (index: number) =>
      branches(index)
        .map((edge) => this.enter(edge, k, v, 'undefined', ts))
        .join('\n')
    const cases = op.predicates.map(
      (_, i) =>
        `if ((${this.timed ? `meter.to(${step.id}), ` : ''}at = ${step.id}, f${step.id}_${i}(${v}, ${k}, rec))) { ${body(i)} }`,
    )
    const rest = branches(op.predicates.length).length > 0 ? body(op.predicates.length) : `op${step.id}.n++`
    return `${cases.join(' else ')} else { ${rest} }`
  }

  /** Row changes: v is the new row or null, o the old one, null or undefined. */
  private change({ to, port }: Edge, k: string, v: string, o: string, ts: string): string {
    const { id, op } = to
    switch (op.kind) {
      case 'filter': {
        const [now, before] = [this.name(), this.name()]
        const test = (value: string) => `${op.negate ? '!' : ''}f${id}(${value}, ${k})`
        const old = this.ofOld(to, `${op.negate ? '!' : ''}f${id}(o, k) ? o : null`)
        const tests = `${this.at(id)} const ${now} = ${v} !== null && ${test(v)} ? ${v} : null, ${before} = ${o} != null ? ${old}(${o}, ${k}) : null;`
        return `${tests} if (${now} !== null || ${before} !== null) { ${this.kept(to, op, k, now, before, ts)} }`
      }
      case 'mapValues': {
        const [now, before] = [this.name(), this.name()]
        const old = to.needsOld
          ? `${o} == null ? null : ${this.ofOld(to, `f${id}(o, k) ?? null`)}(${o}, ${k})`
          : 'undefined'
        return `${this.at(id)} const ${now} = ${v} === null ? null : f${id}(${v}, ${k}) ?? null, ${before} = ${old}; ${this.kept(to, op, k, now, before, ts)}`
      }
      case 'toStream':
        return this.deliver(to, k, v, 'undefined', ts)
      case 'tableGroup': {
        const [now, before] = [this.name(), this.name()]
        const pair = `${v} == null ? null : f${id}(${v}, ${k}) ?? null`
        const oldPair = `${o} == null ? null : ${this.ofOld(to, `f${id}(o, k) ?? null`)}(${o}, ${k})`
        const apart = `if (${before} !== null && ${before}[0] != null) { ${this.deliver(to, `${before}[0]`, 'null', `${before}[1]`, ts)} }
          if (${now} !== null && ${now}[0] != null) { ${this.deliver(to, `${now}[0]`, `${now}[1]`, 'null', ts)} }`
        const together = this.deliver(to, `${now}[0]`, `${now}[1]`, `${before}[1]`, ts)
        return `${this.at(id)} const ${now} = ${pair}, ${before} = ${oldPair};
          if (${now} !== null && ${before} !== null && ${now}[0] != null && op${id}.same(${now}[0], ${before}[0])) { ${together} } else { ${apart} }`
      }
      case 'tableJoin':
        return `${this.at(id)} op${id}.process(${k}, ${v}, ${o}, ${ts}, ${port});`
      case 'foreignLookup':
      case 'foreignJoin':
        return `${this.at(id)} op${id}.${port === 0 ? 'left' : 'right'}(${k}, ${v}, ${ts});`
      case 'streamTableJoin':
      case 'streamGlobalJoin':
        return ''
      case 'foreignSend':
      case 'toTable':
        return `${this.at(id)} op${id}.process(${k}, ${v}, ${ts});`
      case 'late':
        return ''
      default:
        return `${this.at(id)} op${id}.process(${k}, ${v}, ${o}, ${ts});`
    }
  }

  /**
   * The function for what a row was before. Where user code throws there was no row: it threw when that row came, too,
   * and went to the policy then.
   */
  private ofOld(step: Step, result: string): string {
    if (!this.made.has(`q${step.id}`)) {
      this.made.add(`q${step.id}`)
      this.functions.push(`function q${step.id}(o, k) { try { return ${result} } catch { return null } }`)
    }
    return `q${step.id}`
  }

  /** A table step's rows: kept in its store first, if it has one. */
  private kept(step: Step, op: MapNode, k: string, now: string, before: string, ts: string): string {
    if (op.store) return `op${step.id}.process(${k}, ${now}, ${ts});`
    return this.deliver(step, k, now, before, ts)
  }

  private name(): string {
    return `x${this.names++}`
  }
}
