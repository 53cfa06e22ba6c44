import type { BackendReader } from '../../../state/backend.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import type { Sealer } from '../../../state/stores/index.ts'
import type { InFlight } from '../channels/in-flight.ts'

/**
 * Behind the name of a sub-topology, in the order in which they are put back: what its task held, where its own row had no room
 * for it, and what was on its way from other threads.
 *
 *     <sub>\0ahead\0…    what has waited for long: see `AheadRows`
 *     <sub>              the task itself, with what it held besides
 *     <sub>\0held\0…     more of that, where it was put together from several tasks
 *     <sub>\0late        from other threads
 *     <sub>\0late\0…     more of that
 */
export type InFlightKind = 'held' | 'late'

/** Of frames in one row. Changelogs are topics, which take no more than a megabyte by default. */
const mostBytes = 256 * 1024
const digits = 6

const rowKey = (prefix: Buffer, sub: string, kind: InFlightKind, n: number): Buffer =>
  Buffer.concat([prefix, Buffer.from(`${sub}\0${kind}${n === 0 ? '' : `\0${String(n).padStart(digits, '0')}`}`)])

/** The sub-topology that a row of a task is of, and whether it is one of what was in flight. */
export function taskRowOf(name: string): { readonly sub: string; readonly inFlight: boolean } {
  const end = name.indexOf('\0')
  return end < 0 ? { sub: name, inFlight: false } : { sub: name.slice(0, end), inFlight: true }
}

/** In shares that a row each can hold, oldest first; a frame is never cut. */
export function shares(all: readonly InFlight[]): InFlight[][] {
  const found: InFlight[][] = []
  let bytes = 0
  for (const { feed, base, frames } of all) {
    let own: Uint8Array[] | undefined
    for (const frame of frames) {
      if (found.length === 0 || (bytes > 0 && bytes + frame.length > mostBytes)) {
        found.push([])
        bytes = 0
        own = undefined
      }
      if (own === undefined) {
        own = []
        found.at(-1)?.push({ feed, base, frames: own })
      }
      own.push(frame)
      bytes += frame.length
    }
  }
  return found
}

/** What rows behind the task's own say, oldest first. @param prefix of the rows of all tasks of the partition */
export function inFlightRows(reader: BackendReader, prefix: Buffer, sub: string): InFlight[] {
  const [gte, lt] = ['\0held', '\x01'].map((end) => Buffer.concat([prefix, Buffer.from(sub + end)])) as [Buffer, Buffer]
  const found: InFlight[] = []
  for (const [, row] of reader.range({ gte, lt })) found.push(...(decodeValue(row) as InFlight[]))
  return found
}

/** How many rows of a kind there are. */
export function countRows(reader: BackendReader, kind: InFlightKind, prefix: Buffer, sub: string): number {
  let count = 0
  while (reader.get(rowKey(prefix, sub, kind, count)) !== undefined) count++
  return count
}

/** Adds rows. @param from how many there are before */
export function putRows(
  to: Pick<Sealer, 'put'>,
  kind: InFlightKind,
  prefix: Buffer,
  sub: string,
  all: readonly InFlight[][],
  from = 0,
): void {
  for (const [n, share] of all.entries()) to.put(rowKey(prefix, sub, kind, from + n), encodeValue(share))
}

/** Rows of one kind, of which each epoch has as many as it needs. What waits on is not written again. */
export class InFlightRows {
  private readonly kind: InFlightKind
  /** As they were written last, by task; undefined: by an earlier run. */
  private readonly written = new Map<string, readonly (Uint8Array | undefined)[]>()

  constructor(kind: InFlightKind) {
    this.kind = kind
  }

  /** Looks at what an earlier run has left. */
  find(reader: BackendReader, prefix: Buffer, sub: string, task: string): void {
    this.written.set(task, new Array<undefined>(countRows(reader, this.kind, prefix, sub)).fill(undefined))
  }

  seal(sealer: Sealer, prefix: Buffer, sub: string, task: string, all: readonly InFlight[][]): void {
    const before = this.written.get(task) ?? []
    if (before.length === 0 && all.length === 0) return
    const now = all.map((share, n) => {
      const row = encodeValue(share)
      const last = before[n]
      if (last === undefined || Buffer.compare(last, row) !== 0) sealer.put(rowKey(prefix, sub, this.kind, n), row)
      return row
    })
    for (let n = now.length; n < before.length; n++) sealer.delete(rowKey(prefix, sub, this.kind, n))
    this.written.set(task, now)
  }
}
