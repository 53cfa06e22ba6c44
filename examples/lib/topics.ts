import { serdes, type StandardSchema } from '../../src/index.ts'

/** What a sink needs for text keys and JSON values. */
export const json = { key: serdes.string(), value: serdes.json() }

/** The same for the rows of windows. */
export const windowedJson = { key: serdes.windowed(serdes.string()), value: serdes.json() }

/**
 * A schema made of a plain type guard: nothing checks a record faster. What it refuses meets the source's `onInvalid`.
 * @param expected what the guard asks for, in words, for the error message
 */
export function schema<T>(guard: (value: unknown) => value is T, expected: string): StandardSchema<T> {
  const refused = { issues: [{ message: `expected ${expected}` }] }
  return {
    '~standard': { version: 1, vendor: 'dhaara-examples', validate: (value) => (guard(value) ? { value } : refused) },
  }
}

/** For guards: an object whose fields may be looked at. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
