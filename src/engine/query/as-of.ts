import {
  pastStore,
  readTime,
  stretchOf,
  timestampOf,
  type Versions,
  versionedValues,
} from '../../state/stores/index.ts'
import type { StoreLayout } from './layout.ts'
import type { RowSource } from './raw.ts'

/** How the past of a versioned store lies. */
const pastOf = (layout: StoreLayout): StoreLayout => ({
  ...layout,
  name: pastStore(layout.name),
  values: versionedValues(layout.values),
})

/** The stored value that held at a time, as far as the store still knows. */
export async function valueAsOf(
  layout: StoreLayout,
  history: number,
  rows: RowSource,
  key: Uint8Array,
  at: number,
): Promise<unknown> {
  const [present] = await rows.get(layout, [key])
  if (present !== undefined && timestampOf(present) <= at) return layout.values.decode(present)
  const span = stretchOf(history)
  const start = Math.max(0, Math.floor(at / span) * span)
  const past = pastOf(layout)
  const pages = rows.windows(past, { key, from: start, to: Number.MAX_SAFE_INTEGER, reverse: false, limit: 1 })
  try {
    const [first] = await pages.next()
    if (first === undefined) return undefined
    const versions = past.values.decode(first[1]) as Versions
    const own = readTime(first[0], 0) === start ? versions.find(at) : undefined
    return (own ?? versions.before)?.value ?? undefined
  } finally {
    pages.close()
  }
}
