import type { Step } from '../plan/physical.ts'
import { dropsOf } from './steps.ts'
import type { Traits } from './traits.ts'

/**
 * The loop over a batch of one input. A record is processed with the watermark before it; then the watermark moves, and
 * what is due fires. `time` is the input's own clock. What nobody in the sub-topology looks at is not kept up to date
 * within the batch, only at its end.
 */
export function inputLoop(step: Step, body: string, traits: Traits, metering: Metering): string {
  return step.op.kind === 'repartitionRead'
    ? repartitionLoop(step, step.op.repartition.change, body, traits, metering)
    : topicLoop(step, body, traits, metering)
}

export interface Metering {
  /** Steps whose records are counted in the loop: in its own variables, told at its end. */
  readonly tallies: ReadonlySet<number>
  /** Steps of which the loop counts what they drop, in the order in which records come to them. */
  readonly filters: readonly CountedFilter[]
  /** The copy that reads the clock between steps. */
  readonly timed: boolean
}

export interface CountedFilter {
  readonly id: number
  /** What was thrown there does not come out of the filter: steps behind the filter before it, and itself. */
  readonly steps: readonly number[]
}

const declared = ({ tallies, filters }: Metering): string =>
  [...[...tallies].map((id) => `let n${id} = 0;`), ...filters.map(({ id }) => `let d${id} = 0;`)].join(' ')
/** What passed a filter is what came, without what it and those before it dropped. */
const told = ({ tallies, filters }: Metering): string =>
  [
    ...[...tallies].map((id) => `counts[${id}] += n${id};`),
    ...(filters.length === 0 ? [] : ['let passed = to - from - skipped;']),
    ...filters.map(({ id }) => `counts[${id}] += passed -= d${id};`),
  ].join(' ')
/** What was thrown is dropped by the filter that it would have come to. */
const lost = ({ filters }: Metering): string =>
  filters.map(({ id, steps }) => `if (${steps.map((step) => `at === ${step}`).join(' || ')}) d${id}++;`).join(' else ')
/** Time goes to the input again, whatever steps the record went through. */
const home = (step: Step, { timed }: Metering): string => (timed ? `meter.to(${step.id});` : '')
const nameOf = (step: Step, { timed }: Metering): string => `in${step.id}${timed ? 't' : ''}`

const failing = (traits: Traits, body: string, metering: Metering): string =>
  `try { ${body} } catch (e) { ${traits.place ? '' : 'rec.batch = b; rec.i = i; '}rec.ts = ts; ${lost(metering)} fail(e, at) }`

const seen = (traits: Traits): string => `${traits.place ? 'rec.i = i;' : ''} ${traits.time ? 'rec.ts = ts;' : ''}`

function repartitionLoop(step: Step, change: boolean, body: string, traits: Traits, metering: Metering): string {
  return `function ${nameOf(step, metering)}(b, from, to, time) {
    rec.batch = b; rec.own = undefined
    const keys = b.keys, values = b.values, olds = b.olds, times = b.timestamps, ws = b.w
    let at = ${step.id}, skipped = 0; ${declared(metering)}
    for (let i = from; i < to; i++) {
      const w = ws[i]
      if (w > time.w) time.raise(w)
      const k = keys[i], v = values[i], o = ${change ? 'olds[i]' : 'undefined'}, ts = times[i]
      ${seen(traits)}
      if (ts > clock.streamTime) clock.streamTime = ts
      ${failing(traits, body, metering)}
      ${home(step, metering)}
      if (clock.w >= clock.next) clock.advance(clock.w)
    }
    ${told(metering)}
  }`
}

function topicLoop(step: Step, body: string, traits: Traits, metering: Metering): string {
  const processed = failing(traits, body, metering)
  const { tombstones, keyless } = dropsOf(step)
  const skip = (name: string): string => `{ env.${name}[${step.id}].n++; skipped++ } else `
  const dropped = [
    ...(tombstones ? [`if (v === null) ${skip('tombstones')}`] : []),
    ...(keyless ? [`if (k === null) ${skip('keyless')}`] : []),
  ].join('')
  const { each, last } = watermark(step, traits)
  return `function ${nameOf(step, metering)}(b, from, to, time) {
    rec.batch = b; rec.own = undefined
    const keys = b.keys, values = b.values, times = b.timestamps, solo = time.solo
    let max = time.max, at = ${step.id}, skipped = 0; ${declared(metering)}
    for (let i = from; i < to; i++) {
      const k = keys[i], v = values[i], o = undefined, ts = times[i]
      ${seen(traits)}
      ${dropped === '' ? processed : `${dropped}{ ${processed} }`}
      ${home(step, metering)}
      ${each}
    }
    ${told(metering)}
    time.max = max
    ${last}
  }`
}

function watermark(step: Step, traits: Traits): { each: string; last: string } {
  const raised = 'if (ts > clock.streamTime) clock.streamTime = ts;'
  const sweep = 'if (clock.w >= clock.next) clock.advance(clock.w)'
  if (step.op.kind !== 'source') return { each: sweep, last: '' }
  const { watermark: spec } = step.op
  if (spec.kind === 'none') return { each: `if (ts > max) max = ts; ${raised} ${sweep}`, last: '' }
  if (spec.kind === 'punctuated') {
    const asked = `let w = null; try { w = time.punctuate(v, ts) } catch (e) { fail(e, ${step.id}) }`
    const moved = `if (v !== null) { ${asked} if (w !== null && w > time.w) time.raise(w) }`
    return { each: `if (ts > max) max = ts; ${raised} ${moved} ${sweep}`, last: '' }
  }
  const behind = spec.bound + 1
  if (!traits.watermark)
    return {
      each: 'if (ts > max) max = ts',
      last: `if (max > clock.streamTime) clock.streamTime = max; time.raise(max - ${behind})`,
    }
  const each = `if (ts > max) {
        max = ts
        if (ts > clock.streamTime) clock.streamTime = ts
        const w = ts - ${behind}
        if (!solo) { time.max = ts; time.raise(w) }
        else if (w >= clock.next) { time.w = w; clock.advance(w) }
        else if (w > clock.w) clock.w = w
      } else if (clock.w >= clock.next) clock.advance(clock.w)`
  return { each, last: `if (solo && max - ${behind} > time.w) time.w = max - ${behind}` }
}
