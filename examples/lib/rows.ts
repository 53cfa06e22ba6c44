/** A line of an output topic, as `dhaara run --output` writes it. */
export interface OutputRow {
  readonly key: unknown
  readonly value: unknown
}

/** The rows of a job's output topics. */
export type Outputs = Readonly<Record<string, readonly OutputRow[]>>

/** A windowed key, as it is written. */
export interface WindowedKey {
  readonly key: string
  readonly window: { readonly start: number; readonly end: number }
}

/** A topic as a table: the last value of each key; V is what the topic's rows are known to be. */
export function lastRows<V>(outputs: Outputs, topic: string): (readonly [key: string, value: V])[] {
  const last = new Map<string, V>()
  for (const { key, value } of outputs[topic] ?? []) {
    if (value === null) last.delete(key as string)
    else last.set(key as string, value as V)
  }
  return [...last]
}

/** A topic of windows, sorted by start, then by key. */
export function windowRows<V>(outputs: Outputs, topic: string): (WindowedKey & { readonly value: V })[] {
  return (outputs[topic] ?? [])
    .filter(({ value }) => value !== null)
    .map(({ key, value }) => ({ ...(key as WindowedKey), value: value as V }))
    .sort((a, b) => a.window.start - b.window.start || (a.key < b.key ? -1 : 1))
}

/** A topic of single rows, in their order. */
export function values<V>(outputs: Outputs, topic: string): V[] {
  return (outputs[topic] ?? []).map(({ value }) => value as V)
}

/** Descending by number; ties ascending by name. */
export function descending<T>(numberOf: (item: T) => number, nameOf: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => numberOf(b) - numberOf(a) || (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0)
}
