import { DhaaraError } from '../../errors/index.ts'
import type { DeadLetter, LetterFilter, LettersDone, LetterState } from './dead-letter.ts'
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

/** Letters that a message names. */
export const mostNamed = 10

/**
 * The open letters among these that fit, and those named ones that are open no more.
 *
 * @param all oldest first
 * @throws DhaaraError DHAARA_QUERY: a letter is named that is not there
 */
export function chosenFrom(
  all: readonly DeadLetter[],
  filter: LetterFilter,
): { readonly chosen: readonly DeadLetter[]; readonly refused: LettersDone['refused'] } {
  const { offsets = [] } = filter
  const states = new Map(all.map(({ offset, state }) => [offset, state]))
  const missing = offsets.find((offset) => !states.has(offset))
  if (missing !== undefined) throw noLetter(missing, [...states.keys()])
  const refused = [...new Set(offsets)].flatMap((offset) => {
    const state = states.get(offset)
    return state === 'open' ? [] : [{ offset, why: `it was ${state} before` }]
  })
  return { chosen: all.filter((letter) => fits(letter, { ...filter, state: 'open' })), refused }
}

/** @param there offsets of the letters that there are, or of more than ten of the last ones, oldest first */
export function noLetter(offset: number, there: readonly number[]): DhaaraError {
  const known =
    there.length === 0
      ? 'there are none'
      : there.length <= mostNamed
        ? `there are: ${there.join(', ')}`
        : `the last of them are: ${there.slice(-mostNamed).join(', ')}`
  return new DhaaraError('DHAARA_QUERY', `there is no dead letter ${offset}; ${known}`)
}
