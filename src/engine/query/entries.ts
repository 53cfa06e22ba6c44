import type { Row } from '../../state/backend.ts'
import { readTime } from '../../state/stores/index.ts'
import type { StoreLayout } from './layout.ts'

export type Entry = readonly [unknown, unknown]

export interface Bounds {
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
}

export interface WindowedKey {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}

/** What a row shows. */
export function entriesOf({ keys, values, shape }: StoreLayout, [key, bytes]: Row): readonly Entry[] {
  const held = values.decode(bytes)
  if (shape.kind === 'keyValue') return shown(keys.decode(key), shape.show(held))
  if (shape.kind === 'window') {
    const windowed: WindowedKey = { key: keys.decode(key.subarray(8)), window: shape.windowOf(readTime(key, 0)) }
    return shown(windowed, shape.show(held))
  }
  if (shape.kind === 'list' || shape.kind === 'windowedRows') return [[keys.decode(key), held]]
  const decoded = keys.decode(key)
  return Array.from(shape.windowsOf(held), ({ window, value }) => [{ key: decoded, window }, value] as const)
}

const shown = (key: unknown, value: unknown): readonly Entry[] => (value === undefined ? [] : [[key, value]])

/** The key in a row's key: without its window. */
export function entryKey({ keys, shape }: StoreLayout, key: Uint8Array): unknown {
  if (shape.kind === 'window') return keys.decode(key.subarray(8))
  const decoded = keys.decode(key)
  return shape.kind === 'windowedRows' ? (decoded as WindowedKey).key : decoded
}
