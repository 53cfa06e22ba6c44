import { isDeepStrictEqual } from 'node:util'
import { DhaaraError } from '../../errors/index.ts'
import { timestampOf } from '../../state/stores/index.ts'
import type { RawChange, Watch } from './changes.ts'
import { type Bounds, type Entry, entriesOf, type WindowedKey } from './entries.ts'
import type { OpenStore } from './store-query.ts'
import type { Change, ObserveOptions } from './types.ts'

/** Which rows of a store are watched. */
export interface Watched {
  /** In bytes; `matches` then holds for it alone. */
  readonly key?: Uint8Array
  readonly matches: (key: Uint8Array) => boolean
  /** Where they lie. */
  readonly bounds: Bounds
}

/**
 * The rows of a store and their changes, as they are committed. The scan and the watch begin in one moment, between two
 * checkpoints: what the scan shows no change has told, and what it does not show will be told.
 */
export async function* changesOf(
  { layout, rows, watching }: OpenStore,
  { key, matches, bounds }: Watched,
  { from = 'snapshot', signal }: ObserveOptions,
): AsyncGenerator<Change<unknown, unknown>, void> {
  if (from === 'beginning')
    throw new DhaaraError('DHAARA_QUERY', `store '${layout.name}' keeps no past; expected from: 'snapshot' or 'now'`)
  const { changes, store, partitions } = watching()
  const inbox = new Inbox()
  const watch: Watch = {
    store,
    partitions,
    ...(key === undefined ? {} : { key }),
    matches,
    needsBefore: layout.shape.kind === 'windows',
    take: (all) => inbox.take(all),
    end: (error) => inbox.end(error),
  }
  const wake = (): void => inbox.wake()
  const watched = changes.add(watch)
  signal?.addEventListener('abort', wake)
  const pages = from === 'now' ? undefined : rows({}).scan(layout, { ...bounds, reverse: false })
  try {
    if (pages !== undefined) {
      for (let page = await pages.next(); page.length > 0; page = await pages.next()) {
        for (const row of page) {
          if (!matches(row[0])) continue
          for (const [shown, value] of entriesOf(layout, row)) {
            if (signal?.aborted) return
            yield { key: shown, value, timestamp: timestampOf(row[1]) }
          }
        }
      }
    }
    while (!signal?.aborted) {
      const change = inbox.next()
      if (change === undefined) {
        if (inbox.over) return
        await inbox.more()
        continue
      }
      const was = change.before === undefined ? [] : entriesOf(layout, [change.key, change.before])
      const is = change.after === undefined ? [] : entriesOf(layout, [change.key, change.after])
      const timestamp = change.after === undefined ? Date.now() : timestampOf(change.after)
      if (change.after === undefined && was.length === 0) {
        yield { key: keyOf(layout, change.key), value: null, timestamp }
        continue
      }
      yield* differences(was, is, timestamp)
    }
  } finally {
    pages?.close()
    watched[Symbol.dispose]()
    signal?.removeEventListener('abort', wake)
  }
}

/** Changes that were not read yet: the last one of each key. */
class Inbox {
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

  end(error: unknown): void {
    this.over = true
    this.error = error
    this.wake()
  }

  /** @throws why the app has failed, when all is read */
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

function keyOf({ keys, shape }: OpenStore['layout'], bytes: Buffer): unknown {
  if (shape.kind !== 'window') return keys.decode(bytes)
  return { key: keys.decode(bytes.subarray(8)), window: shape.windowOf(Number(bytes.readBigUInt64BE(0))) }
}

/** Of rows that show several entries: those that came, changed and went. */
function* differences(
  was: readonly Entry[],
  is: readonly Entry[],
  timestamp: number,
): Generator<Change<unknown, unknown>> {
  const startOf = ([key]: Entry): number | undefined => (key as WindowedKey | null)?.window?.start
  for (const entry of was)
    if (!is.some((other) => isDeepStrictEqual(other[0], entry[0]))) yield { key: entry[0], value: null, timestamp }
  for (const entry of is) {
    const before = was.find((other) => startOf(other) === startOf(entry) && isDeepStrictEqual(other[0], entry[0]))
    if (before === undefined || !isDeepStrictEqual(before[1], entry[1]))
      yield { key: entry[0], value: entry[1], timestamp }
  }
}
