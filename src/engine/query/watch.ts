import { compareKeys } from '../../state/codec/index.ts'
import type { RawChange } from './changes.ts'
import type { Bounds, WindowedKey } from './entries.ts'
import type { StoreLayout } from './layout.ts'
import type { RowPages } from './raw.ts'

/** Which rows are watched, in bytes: all, those in a range, or those of one key. */
export type WatchedRows =
  | { readonly kind: 'all' }
  | { readonly kind: 'range'; readonly gte?: Uint8Array; readonly lt?: Uint8Array }
  | { readonly kind: 'key'; readonly key: Uint8Array }

/** The same, as the rows of a store lie. */
export interface Watched {
  readonly what: WatchedRows
  /** `matches` holds for it alone. */
  readonly key?: Uint8Array
  readonly matches: (key: Uint8Array) => boolean
  /** Where they lie. */
  readonly bounds: Bounds
}

export function watchedOf({ keys: codec, shape }: StoreLayout, what: WatchedRows): Watched {
  if (what.kind === 'all') return { what, matches: () => true, bounds: {} }
  if (what.kind === 'range') {
    const { gte, lt } = what
    const matches = (key: Uint8Array): boolean =>
      (gte === undefined || Buffer.compare(key, gte) >= 0) && (lt === undefined || Buffer.compare(key, lt) < 0)
    return { what, matches, bounds: { ...(gte === undefined ? {} : { gte }), ...(lt === undefined ? {} : { lt }) } }
  }
  const { key: bytes } = what
  // rows that lie by something else before their key
  if (shape.kind === 'window') {
    return { what, matches: (key) => Buffer.compare(key.subarray(8), bytes) === 0, bounds: {} }
  }
  if (shape.kind === 'windowedRows') {
    const wanted = codec.decode(bytes)
    const matches = (key: Uint8Array): boolean => compareKeys((codec.decode(key) as WindowedKey).key, wanted) === 0
    return { what, matches, bounds: {} }
  }
  return {
    what,
    key: bytes,
    matches: (key) => Buffer.compare(key, bytes) === 0,
    bounds: { gte: bytes, lt: Buffer.concat([bytes, Buffer.of(0)]) },
  }
}

/** A change of a row; or a row that was there when the watching began. */
export interface RowChange extends RawChange {
  readonly first: boolean
}

export type WatchFrom = 'snapshot' | 'now'

/** Watches rows of a store, until the signal is aborted. */
export type WatchRows = (watched: Watched, from: WatchFrom, signal: AbortSignal) => AsyncIterable<RowChange>

/** A watching that has begun. */
export interface Begun extends Disposable {
  /** As the rows were just before the first change that is told; undefined: nobody wants them. */
  readonly pages: RowPages | undefined
}

/**
 * The rows and their changes, as they are committed. The scan and the watch begin in one moment, between two checkpoints: what
 * the scan shows no change has told, and what it does not show will be told.
 *
 * @param begin from then on, changes go to the inbox
 */
export async function* watchRows(
  begin: (inbox: Inbox) => Begun | Promise<Begun>,
  { matches }: Watched,
  signal: AbortSignal,
): AsyncGenerator<RowChange, void> {
  const inbox = new Inbox()
  const wake = (): void => inbox.wake()
  signal.addEventListener('abort', wake)
  let begun: Begun | undefined
  try {
    begun = await begin(inbox)
    const { pages } = begun
    if (pages !== undefined) {
      for (let page = await pages.next(); page.length > 0; page = await pages.next()) {
        for (const [key, after] of page) {
          if (signal.aborted) return
          if (matches(key)) yield { first: true, key: Buffer.from(key), before: undefined, after }
        }
      }
    }
    while (!signal.aborted) {
      const change = inbox.next()
      if (change !== undefined) yield { first: false, ...change }
      else if (inbox.over) return
      else await inbox.more()
    }
  } finally {
    begun?.pages?.close()
    begun?.[Symbol.dispose]()
    signal.removeEventListener('abort', wake)
  }
}

/** Changes that were not read yet: the last one of each key. */
export class Inbox {
  over = false
  private readonly changes = new Map<string, RawChange>()
  private error: unknown
  private waiting: (() => void) | undefined

  take(all: readonly RawChange[]): void {
    for (const change of all) {
      const name = change.key.latin1Slice()
      const earlier = this.changes.get(name)
      this.changes.delete(name)
      this.changes.set(name, earlier === undefined ? change : { ...change, before: earlier.before })
    }
    this.wake()
  }

  end(error?: unknown): void {
    this.over = true
    this.error = error
    this.wake()
  }

  /** @throws why there will be no more, when all is read */
  next(): RawChange | undefined {
    for (const [name, change] of this.changes) {
      this.changes.delete(name)
      return change
    }
    if (this.over && this.error !== undefined) throw this.error
    return undefined
  }

  more(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = resolve
    })
  }

  wake(): void {
    this.waiting?.()
    this.waiting = undefined
  }
}

/** Of several instances, as they come. Where one of them ends, all do. */
export async function* mergeChanges(all: readonly AsyncIterable<RowChange>[]): AsyncGenerator<RowChange, void> {
  const iterators = all.map((one) => one[Symbol.asyncIterator]())
  const next = async (at: number) => ({ at, result: await (iterators[at] as AsyncIterator<RowChange>).next() })
  const pending = iterators.map((_, at) => next(at))
  try {
    while (pending.length > 0) {
      const { at, result } = await Promise.race(pending)
      if (result.done) return
      pending[at] = next(at)
      pending[at].catch(() => {})
      yield result.value
    }
  } finally {
    for (const one of pending) one.catch(() => {})
    for (const one of iterators) one.return?.().catch(() => {})
  }
}
