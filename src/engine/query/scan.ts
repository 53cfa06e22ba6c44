import { inspect } from 'node:util'
import { DhaaraError } from '../../errors/index.ts'
import type { Row, TextBlock } from '../../state/backend.ts'
import type { StoreLayout } from './layout.ts'
import type { RowPages } from './raw.ts'
import type { Scan, ScanOptions } from './types.ts'

type Entry = readonly [unknown, unknown]

/** Where a scan is to begin: after the first `given` entries of this row. */
export interface Start {
  readonly key: Buffer
  readonly given: number
}

/** What a scan is made of. */
export interface ScanParts {
  readonly options: ScanOptions
  /**
   * Rows from there on, with that row, if any of it is left.
   *
   * @param blocks they are read as blocks, if there are any
   * @throws DhaaraError if they cannot be read now
   */
  open(start: Start | undefined, blocks: boolean): RowPages
  /** What a row shows: nothing, one entry or several. */
  entriesOf(row: Row): readonly Entry[]
  /** How rows lie, if each of them shows one entry, as it lies. @throws DhaaraError where the store cannot be opened */
  plain?(): StoreLayout | undefined
}

/** Rows of a scan as they lie, for who can do with bytes. */
export const rawPages = Symbol('rawPages')

export interface RawPage {
  readonly layout: StoreLayout
  /** Keys and values in turn; as texts, where they came so, or as bytes. */
  readonly rows: TextBlock
  /** Bytes of each key that are not its own. */
  readonly prefix: number
}

export interface RawPagesOf {
  /** undefined: they are not shown as they lie. */
  readonly [rawPages]?: () => AsyncIterable<RawPage> | undefined
}

/** A scan of a store: begins when it is iterated, each time anew. */
export function rowScan(parts: ScanParts): Scan<unknown, unknown> & RawPagesOf {
  const { reverse = false, limit = Number.POSITIVE_INFINITY, signal } = parts.options
  if (!(limit >= 0 && (Number.isInteger(limit) || limit === Number.POSITIVE_INFINITY)))
    throw new DhaaraError('DHAARA_QUERY', `limit is ${inspect(limit)}; expected a whole number from 0`)
  let last: Start | undefined
  const iterate = async function* (): AsyncGenerator<Entry, void> {
    const start = startOf(parts.options)
    last = start
    let left = limit
    let given = 0
    if (left <= 0) return
    const pages = parts.open(start, false)
    try {
      for (let rows = await pages.next(); rows.length > 0; rows = await pages.next()) {
        signal?.throwIfAborted()
        for (const row of rows) {
          const entries = parts.entriesOf(row)
          const ordered = reverse && entries.length > 1 ? entries.toReversed() : entries
          given = 0
          const skipped = start !== undefined && start.key.equals(row[0]) ? start.given : 0
          for (const entry of ordered) {
            given++
            if (given <= skipped) continue
            last = { key: Buffer.from(row[0]), given: ordered.length === 1 ? 1 : given }
            yield entry
            if (--left <= 0) return
          }
        }
      }
      last = undefined
    } finally {
      pages.close()
    }
  }
  const { plain } = parts
  const iterateRaw = async function* (layout: StoreLayout): AsyncGenerator<RawPage, void> {
    const start = startOf(parts.options)
    last = start
    let left = limit
    if (left <= 0) return
    const whole = start === undefined && left === Number.POSITIVE_INFINITY
    const pages = parts.open(start, whole)
    try {
      if (whole && pages.blocks !== undefined) {
        const { blocks } = pages
        for (let rows = await blocks.next(); rows !== undefined; rows = await blocks.next()) {
          signal?.throwIfAborted()
          last = { key: bytesOf(rows.at(-2) as string | Uint8Array, blocks.prefix), given: 1 }
          yield { layout, rows, prefix: blocks.prefix }
        }
        last = undefined
        return
      }
      for (let rows = await pages.next(); rows.length > 0; rows = await pages.next()) {
        signal?.throwIfAborted()
        const given = start !== undefined && start.key.equals((rows[0] as Row)[0]) ? 1 : 0
        const shown = given === 0 && rows.length <= left ? rows : rows.slice(given, given + left)
        left -= shown.length
        const final = shown.at(-1)
        if (final !== undefined) {
          last = { key: Buffer.from(final[0]), given: 1 }
          yield { layout, rows: shown.flat(), prefix: 0 }
        }
        if (left <= 0) return
      }
      last = undefined
    } finally {
      pages.close()
    }
  }
  return {
    [rawPages]: () => {
      const layout = plain?.()
      return layout === undefined ? undefined : iterateRaw(layout)
    },
    [Symbol.asyncIterator]: iterate,
    async toArray() {
      const rows: Entry[] = []
      for await (const row of iterate()) rows.push(row)
      return rows
    },
    get cursor() {
      return last === undefined ? undefined : cursorOf(last, reverse)
    },
  }
}

/** The bytes of a key that are its own, or of a value. */
export function bytesOf(part: string | Uint8Array, prefix: number): Buffer {
  if (typeof part === 'string') return Buffer.from(part.slice(prefix))
  return Buffer.from(part.subarray(prefix))
}

const FORWARD = 1
const REVERSE = 2

function cursorOf({ key, given }: Start, reverse: boolean): string {
  const head = Buffer.allocUnsafe(5)
  head[0] = reverse ? REVERSE : FORWARD
  head.writeUInt32BE(given, 1)
  return Buffer.concat([head, key]).toString('base64url')
}

function startOf({ cursor, reverse = false }: ScanOptions): Start | undefined {
  if (cursor === undefined) return undefined
  const bytes = Buffer.from(cursor, 'base64url')
  const good =
    bytes.length > 5 && (bytes[0] === FORWARD || bytes[0] === REVERSE) && bytes.toString('base64url') === cursor
  if (!good)
    throw new DhaaraError('DHAARA_QUERY', `'${cursor}' is no cursor; give one that another scan has ended with`)
  if ((bytes[0] === REVERSE) === reverse) return { key: bytes.subarray(5), given: bytes.readUInt32BE(1) }
  throw new DhaaraError('DHAARA_QUERY', 'the cursor is of a scan in the other direction; give the same `reverse`')
}
