import type { Query, Row } from './query.ts'

/** The rows of a query as they stand, from the records of its output topic in their order. */
export class StandingRows {
  readonly #update: boolean
  readonly #all: Row[] = []
  readonly #byKey = new Map<string, readonly Row[]>()

  constructor({ mode }: Query) {
    this.#update = mode === 'update'
  }

  /** @param key as JSON */
  add(key: string, value: Row | readonly Row[] | null): void {
    const rows = value === null ? [] : Array.isArray(value) ? (value as readonly Row[]) : [value as Row]
    if (this.#update) this.#byKey.set(key, rows)
    else this.#all.push(...rows)
  }

  *[Symbol.iterator](): Generator<Row> {
    yield* this.#all
    for (const rows of this.#byKey.values()) yield* rows
  }
}
