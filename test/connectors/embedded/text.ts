/** A serde for text, so that these tests need nothing of the DSL. */
export const text = {
  serialize: (value: string): Uint8Array => Buffer.from(value),
  deserialize: (bytes: Uint8Array): string => Buffer.from(bytes).toString(),
}

/** JSON, which throws on what it does not know. */
export const json = {
  serialize: (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value)),
  deserialize: (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString()),
}

/** The next `count` items; of an iterable that is no iterator itself, which is then closed. */
export async function take<T>(items: AsyncIterable<T> | AsyncIterator<T>, count: number): Promise<T[]> {
  const mine = !('next' in items)
  const iterator = 'next' in items ? items : items[Symbol.asyncIterator]()
  const taken: T[] = []
  while (taken.length < count) {
    const result = await iterator.next()
    if (result.done) break
    taken.push(result.value)
  }
  if (mine) await iterator.return?.()
  return taken
}
