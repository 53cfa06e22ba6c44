import { clock, duration, percent, short } from './format.ts'
import type { InputRate, Live, TaskRate } from './live.ts'

/** What deserves a look, said in words: most urgent first. */
export interface Finding {
  readonly kind: 'behind' | 'slow' | 'blocked' | 'errors' | 'away' | 'calm'
  readonly text: string
  readonly detail: string
  /** A step to show. */
  readonly step?: number
  /** A task to show. */
  readonly task?: string
}

/** Seconds of input that may wait before anybody is told. */
const tolerated = 2

export function findings({ graph, tick, rates }: Live): Finding[] {
  const found: Finding[] = []
  const behind = worstInput(rates.inputs)
  if (behind !== undefined) {
    const seconds = behind.done > 0 ? `, ${duration((behind.lag / behind.done) * 1000)} of work` : ''
    const reader = graph.nodes.find(({ kind, topics }) => kind === 'source' && topics.includes(behind.topic))
    const task = reader === undefined ? undefined : `${reader.sub}_${behind.partition}`
    found.push({
      kind: 'behind',
      text: `${behind.topic} / ${behind.partition} is behind`,
      detail: `${short(behind.lag)} records wait${seconds}`,
      ...(task === undefined ? {} : { task }),
    })
  }
  const blocked = worstTask(rates.tasks)
  if (blocked !== undefined)
    found.push({
      kind: 'blocked',
      text: `Task ${blocked.id} is held back`,
      detail: `those behind it take no more, ${percent(blocked.blocked)} of the time`,
      task: blocked.id,
    })
  const [id, slow] = [...rates.steps].toSorted(([, a], [, b]) => b.busy - a.busy)[0] ?? []
  if (slow !== undefined && id !== undefined && slow.busy > 0.02) {
    const name = graph.nodes.find((node) => node.id === id)?.name ?? String(id)
    found.push({
      kind: 'slow',
      text: `${name} costs most`,
      detail: `${percent(slow.busy)} of a core${slow.in > 1 ? `, ${perRecord(slow.busy, slow.in)} a record` : ''}`,
      step: id,
    })
  }
  if (tick.errors.count > 0)
    found.push({
      kind: 'errors',
      text: `${short(tick.errors.count)} records failed`,
      detail: `in ${tick.errors.kinds} ${tick.errors.kinds === 1 ? 'way' : 'ways'}`,
    })
  if (found.length === 0) found.push({ kind: 'calm', text: 'All quiet', detail: 'nothing waits, nothing is hot' })
  return found
}

/** Nothing is known of now. */
export const away = ({ tick }: Live): Finding => ({
  kind: 'away',
  text: 'The app does not answer',
  detail: `this is how it was at ${clock(tick.at)}`,
})

function worstInput(inputs: readonly InputRate[]): InputRate | undefined {
  const worst = inputs.toSorted((a, b) => b.lag - a.lag)[0]
  if (worst === undefined || worst.lag < 100) return undefined
  return worst.lag > Math.max(worst.done, worst.arriving) * tolerated ? worst : undefined
}

function worstTask(tasks: readonly TaskRate[]): TaskRate | undefined {
  const worst = tasks.toSorted((a, b) => b.blocked - a.blocked)[0]
  return worst === undefined || worst.blocked < 0.1 ? undefined : worst
}

export function perRecord(busy: number, records: number): string {
  const us = (busy / records) * 1e6
  return us < 1000 ? `${us < 10 ? us.toFixed(1) : Math.round(us)} µs` : duration(us / 1000)
}
