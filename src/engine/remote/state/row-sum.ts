import { crc32 } from 'node:zlib'
import type { RemoteLog } from '../../../connectors/broker/remote.ts'
import type { BackendReader } from '../../../state/backend.ts'
import { after } from '../../../state/stores/index.ts'
import type { ChangelogRows } from './changelog.ts'
import type { Wanted } from './apply-rows.ts'

/** How many rows, and the sum of their checksums: the same in any order. */
export interface RowSum {
  readonly rows: number
  readonly sum: number
}

const checksum = (row: Uint8Array, value: Uint8Array): number => crc32(value, crc32(row))
/** Sums stay exact: a double holds 2^21 of what is below 2^32. */
const modulus = 2 ** 52

export function sumOfRows(local: BackendReader, prefixes: readonly Uint8Array[]): RowSum {
  let rows = 0
  let sum = 0
  for (const prefix of prefixes) {
    for (const [row, value] of local.range({ gte: prefix, lt: after(prefix) })) {
      rows++
      sum = (sum + checksum(row, value)) % modulus
    }
  }
  return { rows, sum }
}

/** Of the newest row of each key between two offsets. @returns undefined where it was interrupted */
export async function sumOfChangelog(
  log: RemoteLog,
  rows: ChangelogRows,
  { log: changelog, partition }: Wanted,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<RowSum | undefined> {
  const newest = new Map<string, number>()
  const rowOf = rows.reader(changelog, partition)
  let wake = (): void => {}
  const stop = (): void => wake()
  signal.addEventListener('abort', stop)
  const reader = log.reader({ onData: () => wake() })
  try {
    if (start < end) reader.add(changelog.topic, partition, start)
    for (let at = start; at < end; ) {
      if (signal.aborted) return undefined
      const news = new Promise<void>((resolve) => {
        wake = resolve
        if (signal.aborted) resolve()
      })
      const batch = reader.take(changelog.topic, partition, at)
      if (batch === undefined) {
        await news
        continue
      }
      at = batch.nextOffset
      for (let i = 0; i < batch.count; i++) {
        const row = rowOf(batch.data, batch.keyStart[i] as number, batch.keyEnd[i] as number)
        const key = row.toString('latin1')
        if ((batch.valueStart[i] as number) < 0) newest.delete(key)
        else newest.set(key, checksum(row, batch.data.subarray(batch.valueStart[i], batch.valueEnd[i])))
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await reader.close()
  }
  let sum = 0
  for (const one of newest.values()) sum = (sum + one) % modulus
  return { rows: newest.size, sum }
}
