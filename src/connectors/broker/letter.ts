import type { DeadLetter, LetterFilter, LetterState } from './dead-letter.ts'
import type { FetchedBatch } from './log.ts'
import { headersText } from './record-headers.ts'

/** Headers that say why; the others are the record's own. */
const ours = /^dhaara-(error-.*|topic|partition|offset|time)$/
/** Put on what is replayed: which letter it was. */
export const replayedHeader = 'dhaara-replayed'

/** A record of a topic of dead letters. */
export function letterAt(batch: FetchedBatch, i: number, state: LetterState): DeadLetter {
  const all = headersText(batch.headers?.[i])
  const text = (name: string): string => all[`dhaara-${name}`] ?? ''
  const number = (name: string): number => (all[`dhaara-${name}`] === undefined ? -1 : Number(text(name)))
  return {
    offset: batch.offsets[i] as number,
    at: number('time'),
    code: text('error-code'),
    step: text('error-step'),
    message: text('error-message'),
    stack: text('error-stack'),
    topic: text('topic'),
    partition: number('partition'),
    position: number('offset'),
    timestamp: batch.timestamps[i] as number,
    ...bytesAt(batch, i),
    headers: Object.fromEntries(Object.entries(all).filter(([name]) => !ours.test(name))),
    state,
  }
}

export function bytesAt({ data, keyStart, keyEnd, valueStart, valueEnd }: FetchedBatch, i: number) {
  const part = (start: number, end: number) => (start < 0 ? null : data.subarray(start, end))
  return {
    key: part(keyStart[i] as number, keyEnd[i] as number),
    value: part(valueStart[i] as number, valueEnd[i] as number),
  }
}

export const textOf = (bytes: Uint8Array | null): string => (bytes === null ? '' : Buffer.from(bytes).toString())

export function fits(
  letter: DeadLetter,
  { offsets, code, step, topic, message, state = 'open' }: LetterFilter,
): boolean {
  return (
    (state === 'all' || letter.state === state) &&
    (offsets === undefined || offsets.includes(letter.offset)) &&
    (code === undefined || letter.code === code) &&
    (step === undefined || letter.step === step) &&
    (topic === undefined || letter.topic === topic) &&
    (message === undefined || letter.message.includes(message))
  )
}
