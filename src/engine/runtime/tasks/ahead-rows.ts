import type { BackendReader } from '../../../state/backend.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import type { Sealer } from '../../../state/stores/index.ts'
import { frameCount } from '../channels/frame-reader.ts'
import type { InFlight } from '../channels/in-flight.ts'
import { aligned } from '../channels/ring-link.ts'
import { shares } from './in-flight-rows.ts'

/** What waits in a feed: records number [head, tail) of its channel. */
export interface Waiting {
  readonly feed: string
  readonly head: number
  readonly tail: number
  /** Records [from, tail) as frames. */
  frames(from: number): Uint8Array[]
}

interface AheadRow {
  readonly n: number
  /** Number of the first record behind it. */
  readonly to: number
}

interface Open extends Waiting {
  bytes: number
  left: Uint8Array[]
}

/** Of frames that the task's own row may have; when it has more, the longest leave it until so little is left. */
const mostOpen = 64 * 1024
const fewOpen = 16 * 1024
const digits = 12

const rowsOf = (prefix: Buffer, sub: string): Buffer => Buffer.concat([prefix, Buffer.from(`${sub}\0ahead\0`)])

/**
 * What has waited for a task for long, oldest first: rows that are written once, and go when all of theirs was processed. What
 * came last stands in the task's own row, with the number of the first record that waits.
 *
 *     records    0 ─── 299 | 300 ─── 511 | 512 ─ 530          head = 340
 *     lies in    (gone)    | a row       | the task's row     340 is the 41st of its row
 *
 * So an epoch writes what has come since the last one and a little more, however much waits.
 */
export class AheadRows {
  /** By feed, oldest first. */
  private readonly rows = new Map<string, AheadRow[]>()
  private next = 0

  /** What an earlier run has left, as it goes on. */
  find(reader: BackendReader, prefix: Buffer, sub: string): void {
    for (const { n, row } of rowsIn(reader, prefix, sub)) {
      for (const one of row) this.note(one.feed, n, one.base, one.frames)
      this.next = n + 1
    }
  }

  /** @returns what is for the task's own row */
  seal(sealer: Sealer, prefix: Buffer, sub: string, waiting: readonly Waiting[]): InFlight[] {
    const start = rowsOf(prefix, sub)
    const keyOf = (n: number) => Buffer.concat([start, Buffer.from(String(n).padStart(digits, '0'))])
    const heads = new Map(waiting.map(({ feed, head }) => [feed, head]))
    for (const [feed, rows] of this.rows) {
      const head = heads.get(feed) ?? Number.POSITIVE_INFINITY
      while (rows.length > 0 && (rows[0] as AheadRow).to <= head) sealer.delete(keyOf((rows.shift() as AheadRow).n))
      if (rows.length === 0) this.rows.delete(feed)
    }
    const open = waiting.filter(({ head, tail }) => head < tail).map((one) => this.open(one))
    let bytes = open.reduce((sum, one) => sum + one.bytes, 0)
    if (bytes > mostOpen) {
      for (const one of open.toSorted((a, b) => b.bytes - a.bytes)) {
        if (bytes <= fewOpen) break
        bytes -= one.bytes
        this.close(one, sealer, keyOf)
      }
    }
    return open.map(({ feed, head, left }) => ({ feed, base: head, frames: left }))
  }

  private open(one: Waiting): Open {
    const from = this.end(one)
    const left = from < one.tail ? one.frames(from) : []
    return { ...one, left, bytes: left.reduce((sum, { length }) => sum + length, 0) }
  }

  private end({ feed, head }: Waiting): number {
    return Math.max(head, this.rows.get(feed)?.at(-1)?.to ?? head)
  }

  private close(one: Open, sealer: Sealer, keyOf: (n: number) => Buffer): void {
    let base = this.end(one)
    for (const row of shares([{ feed: one.feed, base, frames: one.left }])) {
      const { frames } = row[0] as InFlight
      sealer.put(keyOf(this.next), encodeValue([{ feed: one.feed, base, frames }]))
      base = this.note(one.feed, this.next++, base, frames)
    }
    one.left = []
  }

  private note(feed: string, n: number, base: number, frames: readonly Uint8Array[]): number {
    const to = frames.reduce((sum, frame) => sum + frameCount(aligned(frame)), base)
    const rows = this.rows.get(feed)
    if (rows === undefined) this.rows.set(feed, [{ n, to }])
    else rows.push({ n, to })
    return to
  }
}

function rowsIn(reader: BackendReader, prefix: Buffer, sub: string): { n: number; row: InFlight[] }[] {
  const gte = rowsOf(prefix, sub)
  const lt = Buffer.concat([gte, Buffer.of(0xff)])
  return Array.from(reader.range({ gte, lt }), ([key, row]) => ({
    n: Number(Buffer.from(key.subarray(gte.length)).toString()),
    row: decodeValue(row) as InFlight[],
  }))
}

/** What lies in such rows, oldest first. @param own what the task's own row has: it says where each feed was */
export function aheadOf(reader: BackendReader, prefix: Buffer, sub: string, own: readonly InFlight[]): InFlight[] {
  const heads = new Map(own.map(({ feed, base }) => [feed, base]))
  return rowsIn(reader, prefix, sub).flatMap(({ row }) =>
    row.map(({ feed, base, frames }) => {
      const head = heads.get(feed) ?? base
      return { feed, base: head, skip: Math.max(0, head - base), frames }
    }),
  )
}
