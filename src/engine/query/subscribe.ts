import { isDeepStrictEqual } from 'node:util'
import { DhaaraError } from '../../errors/index.ts'
import { timestampOf } from '../../state/stores/index.ts'
import { type Entry, entriesOf, type WindowedKey } from './entries.ts'
import type { OpenStore } from './open-store.ts'
import type { Change, ObserveOptions } from './types.ts'
import type { RowChange, Watched } from './watch.ts'

/** The rows of a store and their changes, as they are committed. */
export async function* changesOf(
  { layout, watching }: OpenStore,
  watched: Watched,
  { from = 'snapshot', signal = new AbortController().signal }: ObserveOptions,
): AsyncGenerator<Change<unknown, unknown>, void> {
  if (from === 'beginning')
    throw new DhaaraError('DHAARA_QUERY', `store '${layout.name}' keeps no past; expected from: 'snapshot' or 'now'`)
  for await (const change of watching()(watched, from, signal)) {
    for (const shown of shownBy(layout, change)) {
      if (signal.aborted) return
      yield shown
    }
  }
}

function* shownBy(layout: OpenStore['layout'], change: RowChange): Generator<Change<unknown, unknown>> {
  const { first, key, before, after } = change
  const is = after === undefined ? [] : entriesOf(layout, [key, after])
  const timestamp = after === undefined ? Date.now() : timestampOf(after)
  if (first) {
    for (const [shown, value] of is) yield { key: shown, value, timestamp }
    return
  }
  const was = before === undefined ? [] : entriesOf(layout, [key, before])
  // where nobody has said what was there before; a row that shows nothing is none
  const { kind } = layout.shape
  const untold = kind === 'keyValue' ? is.length === 0 : after === undefined && kind !== 'windows'
  if (untold && was.length === 0) yield { key: keyOf(layout, key), value: null, timestamp }
  else yield* differences(was, is, timestamp)
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
