import { keyPrefixRange } from '../../state/codec/index.ts'
import type { KeyValueTable } from '../../state/stores/index.ts'
import { after } from '../../state/stores/index.ts'

interface RangeLimits {
  readonly reverse?: boolean
  readonly limit?: number
}

/** A key-value store as user code sees it: synchronous, the task's own. */
export class KeyValueAccess {
  protected readonly table: KeyValueTable
  /** Stamp of what is written: the record's time. */
  private readonly now: () => number
  /** What is kept -> what is shown (built-in aggregators keep more than they show). */
  private readonly show: (state: unknown) => unknown
  /** What is given -> what is kept. */
  private readonly keep: (value: unknown) => unknown

  constructor(table: KeyValueTable, now: () => number, show = same, keep = same) {
    this.table = table
    this.now = now
    this.show = show
    this.keep = keep
  }

  get(key: unknown): unknown {
    const { value } = this.table.load(key)
    return value === undefined ? undefined : this.show(value)
  }

  has(key: unknown): boolean {
    return this.table.load(key).value !== undefined
  }

  put(key: unknown, value: unknown): void {
    this.table.put(key, this.keep(value ?? undefined), this.now())
  }

  putIfAbsent(key: unknown, value: unknown): unknown {
    const entry = this.table.load(key)
    if (entry.value !== undefined) return this.show(entry.value)
    this.table.set(entry, this.keep(value ?? undefined), this.now())
    return undefined
  }

  delete(key: unknown): unknown {
    const entry = this.table.load(key)
    const old = entry.value
    if (old === undefined) return undefined
    this.table.set(entry, undefined, this.now())
    return this.show(old)
  }

  get approximateCount(): number {
    return this.table.count()
  }

  all(): Iterable<readonly [unknown, unknown]> {
    return this.rows(undefined, undefined, {})
  }

  /** Both ends inclusive; undefined = open. */
  range(from: unknown, to: unknown, opts: RangeLimits = {}): Iterable<readonly [unknown, unknown]> {
    const { encode } = this.table.space.keys
    const gte = from === undefined ? undefined : encode(from)
    // the first key after `to` itself
    const lt = to === undefined ? undefined : Buffer.concat([encode(to), Buffer.of(0)])
    return this.rows(gte, lt, opts)
  }

  prefix(prefix: unknown, opts: RangeLimits = {}): Iterable<readonly [unknown, unknown]> {
    const { gte, lt } = this.prefixBounds(prefix)
    return this.rows(gte, lt, opts)
  }

  private prefixBounds(prefix: unknown): { gte: Uint8Array; lt: Uint8Array } {
    const { keys } = this.table.space
    if (keys.serde === undefined) return keyPrefixRange(prefix as never)
    const bytes = keys.encode(prefix)
    return { gte: bytes, lt: after(bytes) }
  }

  private *rows(
    gte: Uint8Array | undefined,
    lt: Uint8Array | undefined,
    { reverse, limit }: RangeLimits,
  ): Generator<readonly [unknown, unknown]> {
    let left = limit ?? Number.POSITIVE_INFINITY
    for (const entry of this.table.scan(gte, lt, reverse ?? false)) {
      if (left-- <= 0) return
      yield [entry.key, this.show(entry.value)]
    }
  }
}

const same = (value: unknown): unknown => value

/** Of tables: they belong to their step. */
export class ReadOnlyKeyValue {
  private readonly inner: KeyValueAccess

  constructor(inner: KeyValueAccess) {
    this.inner = inner
  }

  get(key: unknown): unknown {
    return this.inner.get(key)
  }
  has(key: unknown): boolean {
    return this.inner.has(key)
  }
  all(): Iterable<readonly [unknown, unknown]> {
    return this.inner.all()
  }
  range(from: unknown, to: unknown, opts?: RangeLimits): Iterable<readonly [unknown, unknown]> {
    return this.inner.range(from, to, opts)
  }
  prefix(prefix: unknown, opts?: RangeLimits): Iterable<readonly [unknown, unknown]> {
    return this.inner.prefix(prefix, opts)
  }
  get approximateCount(): number {
    return this.inner.approximateCount
  }
}
