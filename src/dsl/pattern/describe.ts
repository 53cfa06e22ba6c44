import type { PatternSpec, QuantifierSpec, StepSpec } from './spec.ts'
import { isNot } from './spec.ts'

/** The pattern in words, one step a line; groups are indented. */
export function describe(spec: PatternSpec): string {
  return lines(spec).join('\n')
}

function lines(spec: PatternSpec): string[] {
  if (spec.kind !== 'sequence') {
    const title = spec.kind === 'anyOf' ? 'any of' : 'all of, in any order'
    return [title, ...spec.parts.flatMap((part) => lines(part).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`))]
  }
  return spec.steps.flatMap((step) => {
    const head = [step.contiguity, step.name ?? 'group', ...traits(step)].join(' ')
    return step.body === null ? [head] : [head, ...lines(step.body).map((line) => `  ${line}`)]
  })
}

function traits(step: StepSpec): string[] {
  const words = []
  if (step.quantifier !== null) words.push(...repetition(step.quantifier))
  if (step.optional) words.push('optional')
  if (step.condition !== null) words.push('where …')
  if (step.withinPrevious !== null) words.push(`less than ${step.withinPrevious} ms after the event before`)
  if (step.within !== null) words.push(`less than ${step.within} ms after the first event`)
  return words
}

function repetition(q: QuantifierSpec): string[] {
  const words = [q.max === null ? `{${q.min},}` : q.max === q.min ? `{${q.min}}` : `{${q.min},${q.max}}`]
  if (q.inner === 'strict') words.push('consecutive')
  if (q.inner === 'any') words.push('allowing combinations')
  if (q.greedy) words.push('greedy')
  if (q.until !== null) words.push('until …')
  if (q.gap !== null) words.push(`gaps below ${q.gap} ms`)
  return words
}

const arrows: Readonly<Record<string, string>> = {
  begin: '-->',
  next: '-->|next|',
  followedBy: '-.->|followedBy|',
  followedByAny: '-.->|followedByAny|',
  notNext: '--x|notNext|',
  notFollowedBy: '-.-x|notFollowedBy|',
}

/**
 * The steps as a Mermaid flow chart: solid arrows where no event may lie between, dotted ones where some may, a cross
 * for what must not come. Groups are boxes.
 */
export function toMermaid(spec: PatternSpec): string {
  const out = ['flowchart LR']
  let nodes = 0
  const node = (): string => `s${nodes++}`
  const draw = (s: PatternSpec, from: readonly string[], entry: string, indent: string): string[] => {
    if (s.kind !== 'sequence') return s.parts.flatMap((part) => draw(part, from, entry, indent))
    let ends = from
    for (const step of s.steps) {
      const arrow = step.contiguity === 'begin' ? entry : (arrows[step.contiguity] as string)
      ends = drawStep(step, ends, arrow, indent)
    }
    return [...ends]
  }
  const drawStep = (step: StepSpec, from: readonly string[], arrow: string, indent: string): string[] => {
    if (step.body !== null) {
      const box = node()
      out.push(`${indent}subgraph ${box}["${traits(step).join(' ') || 'group'}"]`)
      const ends = draw(step.body, from, arrow, `${indent}  `)
      out.push(`${indent}end`)
      return step.optional ? [...from, ...ends] : ends
    }
    const id = node()
    const label = [step.name, ...traits(step)].join(' ').replaceAll('"', '&quot;')
    out.push(`${indent}${id}${isNot(step.contiguity) ? `{{"${label}"}}` : `["${label}"]`}`)
    for (const before of from) out.push(`${indent}${before} ${arrow} ${id}`)
    if (step.quantifier !== null) out.push(`${indent}${id} --> ${id}`)
    if (isNot(step.contiguity)) return [...from]
    return step.optional ? [...from, id] : [id]
  }
  const begin = node()
  out.push(`  ${begin}((start))`)
  const ends = draw(spec, [begin], '-->', '  ')
  const end = node()
  out.push(`  ${end}(((match)))`)
  for (const before of ends) out.push(`  ${before} --> ${end}`)
  return out.join('\n')
}
