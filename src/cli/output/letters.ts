import type { DeadLetter } from '../../connectors/broker/index.ts'

/** A dead letter as JSON shows it. */
export type ShownLetter = Omit<DeadLetter, 'key' | 'value' | 'at'> & {
  readonly at: string
  readonly key: unknown
  readonly value: unknown
}

export function shownLetter({ key, value, at, ...letter }: DeadLetter): ShownLetter {
  return { ...letter, at: letterTime(at), key: textOf(key), value: valueOf(value) }
}

/** When it was put aside, as people read it; nothing where that is not known. */
export const letterTime = (at: number): string => (at < 0 ? '' : new Date(at).toISOString())

const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())

function valueOf(bytes: Uint8Array | null): unknown {
  const text = textOf(bytes)
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A line a letter. */
export function letterLines(letters: readonly ShownLetter[], json: boolean): string {
  if (json) return letters.map((letter) => `${JSON.stringify(letter)}\n`).join('')
  if (letters.length === 0) return 'no letters\n'
  return letters
    .map(({ offset, at, state, step, topic, partition, position, message }) =>
      `${String(offset).padStart(6)}  ${at}  ${state.padEnd(8)}  ${step}  ${topic}/${partition}@${position}  ${message}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** One letter, for people: the stack last but for the record. */
export function letterText(letter: ShownLetter): string {
  const { offset, at, state, code, step, topic, partition, position, message, stack, key, value, headers } = letter
  const fields: readonly (readonly [string, string])[] = [
    ['letter', `${offset} (${state})`],
    ['when', at],
    ['step', step],
    ['error', code],
    ['from', `${topic}/${partition} offset ${position}`],
    ['message', message],
    ['key', JSON.stringify(key)],
    ['value', JSON.stringify(value)],
    ...Object.entries(headers).map(([name, text]) => [`header ${name}`, text] as const),
  ]
  const width = Math.max(...fields.map(([name]) => name.length))
  return `${fields.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('')}\n${stack}\n`
}
