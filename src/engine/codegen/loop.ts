import type { Step } from '../plan/physical.ts'

/**
 * The loop over a batch of one input. A record is processed with the watermark before it; then the watermark moves, and
 * what is due fires. `time` is the input's own clock.
 */
export function inputLoop(step: Step, body: string): string {
  const { op } = step
  if (op.kind === 'repartitionRead') {
    return `function in${step.id}(b, from, to, time) {
      rec.batch = b; rec.own = undefined
      const keys = b.keys, values = b.values, olds = b.olds, times = b.timestamps, ws = b.w
      for (let i = from; i < to; i++) {
        const w = ws[i]
        if (w > time.w) time.raise(w)
        const k = keys[i], v = values[i], o = ${op.repartition.change ? 'olds[i]' : 'undefined'}, ts = times[i]
        if (rec.batch !== b) rec.batch = b
        rec.i = i; rec.ts = ts
        if (ts > clock.streamTime) clock.streamTime = ts
        try { ${body} } catch (e) { fail(e, at) }
        if (clock.w >= clock.next) clock.advance(clock.w)
      }
    }`
  }
  return `function in${step.id}(b, from, to, time) {
    rec.own = undefined
    const keys = b.keys, values = b.values, times = b.timestamps
    let max = time.max
    for (let i = from; i < to; i++) {
      const k = keys[i], v = values[i], o = undefined, ts = times[i]
      rec.batch = b; rec.i = i; rec.ts = ts
      ${op.kind === 'source' && op.tombstones === 'drop' && op.store === undefined ? `if (v === null) { env.tombstones[${step.id}].n++ } else {` : '{'}
        try { ${body} } catch (e) { fail(e, at) }
      }
      ${watermark(step)}
    }
    time.max = max
  }`
}

function watermark(step: Step): string {
  const raised = 'if (ts > clock.streamTime) clock.streamTime = ts'
  const sweep = 'if (clock.w >= clock.next) clock.advance(clock.w)'
  if (step.op.kind !== 'source') return sweep
  const { watermark: spec } = step.op
  if (spec.kind === 'none') return `${raised}; if (ts > max) max = ts; ${sweep}`
  if (spec.kind === 'punctuated') {
    return `${raised}; if (ts > max) max = ts; if (v !== null) { at = ${step.id}; const w = time.punctuate(v, ts); if (w !== null && w > time.w) time.raise(w) } ${sweep}`
  }
  return `if (ts > max) { max = ts; ${raised}
        const w = ts - ${spec.bound + 1}
        if (time.solo) { time.w = w; if (w >= clock.next) clock.advance(w); else if (w > clock.w) { clock.w = w; clock.target = w } }
        else time.raise(w)
      } else if (clock.w >= clock.next) clock.advance(clock.w)`
}
