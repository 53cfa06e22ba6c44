import type { BackendReader, Row } from '../../state/backend.ts'
import { headRowKey, type PartKind, partRange } from '../../state/stores/index.ts'
import { packKey } from '../cep/index.ts'

/** What a key's state is that lies in parts: its head and its parts, as one row. */
export function partsOfKey(reader: BackendReader, prefix: Buffer, key: Uint8Array): Uint8Array | undefined {
  const head = reader.get(headRowKey(prefix, key))
  if (head === undefined) return undefined
  return packKey(head, rowsOf(reader, prefix, key, 'part'), rowsOf(reader, prefix, key, 'loose'))
}

function rowsOf(reader: BackendReader, prefix: Buffer, key: Uint8Array, kind: PartKind): [number, Uint8Array][] {
  const { gte, lt } = partRange(prefix, key, kind)
  const rows = reader.collect({ gte, lt })
  const parts: [number, Uint8Array][] = []
  for (let i = 0; i < rows.length; i += 2) {
    const at = rows[i] as Uint8Array
    // another key may begin with this one
    if (at.length !== gte.length + 4) continue
    parts.push([Buffer.from(at.subarray(gte.length)).readUInt32BE(), rows[i + 1] as Uint8Array])
  }
  return parts
}

/** The same of all keys in a range. Each key is of one checkpoint. */
export function* partsByKey(
  reader: BackendReader,
  prefix: Buffer,
  gte: Uint8Array | undefined,
  lt: Uint8Array | undefined,
  reverse: boolean,
): Generator<Row> {
  const heads = headRowKey(prefix, new Uint8Array(0))
  const low = gte === undefined ? heads : headRowKey(prefix, gte)
  const high = lt === undefined ? endOf(heads) : headRowKey(prefix, lt)
  for (const [row] of reader.range({ gte: low, lt: high, reverse })) {
    const key = Buffer.from(row.subarray(heads.length))
    const packed = partsOfKey(reader, prefix, key)
    if (packed !== undefined) yield [Buffer.concat([prefix, key]), packed]
  }
}

function endOf(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end.at(-1) as number) + 1
  return end
}
