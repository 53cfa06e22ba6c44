import { setImmediate } from 'node:timers/promises'
import { DhaaraError } from '../../../errors/index.ts'
import { statePrefix } from '../../../state/stores/index.ts'
import type { Begun, Inbox, RawChange, RowPages, StoreLayout, Watched, WatchFrom } from '../../query/index.ts'
import { numberOf, type WatchedStores, type WrittenRow } from './written-rows.ts'

/** What a runner has written with a commit, of rows that are watched. */
export interface Written {
  /** Of the commit: the runner's count of writes after it. */
  readonly count: number
  readonly rows: readonly WrittenRow[]
}

/** Of a runner: what it tells of what it writes. */
export interface Teller {
  /** Resolves when each commit that ends from now on tells of rows of these stores. */
  watch(wanted: WatchedStores): Promise<void>
  /** Even: that many halves of writes are done. Odd: rows are being written. */
  readonly writes: Int32Array
}

interface Watch {
  readonly sub: number
  readonly partitions: readonly number[]
  /** Store and partition, as in the keys of rows. */
  readonly numbers: ReadonlySet<number>
  readonly matches: (key: Uint8Array) => boolean
  readonly needsBefore: boolean
  readonly inbox: Inbox
  /** By runner: the last write that the rows have which were shown first; undefined: not known yet. */
  since: readonly number[] | undefined
  /** What has come before that was known. */
  readonly held: (readonly [runner: number, written: Written])[]
}

const prefixBytes = 5

/**
 * Who watches rows of this instance's tasks. Runners write in threads of their own; so the rows that are shown first are taken
 * between two writes of theirs, as the counts of writes tell, and of what is told afterwards only later writes are taken.
 */
export class Watches {
  private readonly tellers: () => readonly Teller[]
  private readonly watches = new Set<Watch>()

  constructor(tellers: () => readonly Teller[]) {
    this.tellers = tellers
  }

  /**
   * @param rows opens the rows as they are committed at this moment
   * @throws DhaaraError DHAARA_RESTORING: a runner has ended
   */
  async begin(
    { sub, shape }: StoreLayout,
    store: number,
    partitions: readonly number[],
    { matches }: Watched,
    from: WatchFrom,
    inbox: Inbox,
    rows: () => RowPages,
  ): Promise<Begun> {
    const numbers = new Set(partitions.map((partition) => numberOf(statePrefix(store, partition))))
    const needsBefore = shape.kind === 'windows'
    const watch: Watch = { sub, partitions, numbers, matches, needsBefore, inbox, since: undefined, held: [] }
    this.watches.add(watch)
    try {
      await this.tell()
      const pages = await this.between(watch, from === 'now' ? () => undefined : rows)
      return {
        pages,
        [Symbol.dispose]: () => {
          this.watches.delete(watch)
          this.tell().catch(() => {})
        },
      }
    } catch (error) {
      this.watches.delete(watch)
      throw error
    }
  }

  /** A runner has written. */
  written(runner: number, written: Written): void {
    for (const watch of this.watches) {
      if (watch.since === undefined) watch.held.push([runner, written])
      else this.give(watch, watch.since, runner, written)
    }
  }

  /** Tasks have come or gone: who watches one that is not here any more is told so. */
  moved(isHere: (sub: number, partition: number) => boolean): void {
    for (const watch of this.watches) {
      const { sub, partitions, inbox } = watch
      if (partitions.every((partition) => isHere(sub, partition))) continue
      this.watches.delete(watch)
      inbox.end(new DhaaraError('DHAARA_MOVED', 'rows that are watched have gone to another instance; watch them anew'))
    }
  }

  /** Nothing is told any more. */
  end(error?: unknown): void {
    for (const { inbox } of this.watches) inbox.end(error)
    this.watches.clear()
  }

  private async between<T>(watch: Watch, open: () => (T & { close(): void }) | undefined): Promise<T | undefined> {
    const tellers = this.tellers()
    const now = (): number[] => tellers.map(({ writes }) => Atomics.load(writes, 0))
    for (;;) {
      const since = now()
      if (since.every((count) => count % 2 === 0)) {
        const opened = open()
        if (now().every((count, i) => count === since[i])) {
          watch.since = since
          for (const [runner, written] of watch.held.splice(0)) this.give(watch, since, runner, written)
          return opened
        }
        opened?.close()
      }
      await setImmediate()
    }
  }

  private give(
    { numbers, matches, needsBefore, inbox }: Watch,
    since: readonly number[],
    runner: number,
    written: Written,
  ): void {
    if (written.count <= (since[runner] ?? 0)) return
    const changes: RawChange[] = []
    for (const { key: row, before, after } of written.rows) {
      if (!numbers.has(numberOf(row))) continue
      const key = Buffer.from(row.buffer, row.byteOffset + prefixBytes, row.length - prefixBytes)
      if (matches(key)) changes.push({ key, before: needsBefore ? before : undefined, after })
    }
    if (changes.length > 0) inbox.take(changes)
  }

  private async tell(): Promise<void> {
    const numbers = new Set<number>()
    const before = new Set<number>()
    for (const watch of this.watches) {
      for (const number of watch.numbers) {
        numbers.add(number)
        if (watch.needsBefore) before.add(number)
      }
    }
    await Promise.all(this.tellers().map((teller) => teller.watch({ numbers, before })))
  }
}
