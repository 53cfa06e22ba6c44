import type { SourceNode, UserFn } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { CurrentRecord, noBatch, offsetAt, type RecordBatch } from '../record.ts'

const LAST_TIMESTAMP = 253402300799999

/**
 * Lets the records of a source into a batch, one after the other: each has the key that the source asks for and a time that can
 * be, or is left out. Sources of bytes and of values go through the same gate.
 */
export class Admission {
  private readonly source: SourceNode
  private readonly view = new CurrentRecord()
  private batch: RecordBatch = noBatch
  private latest = 0
  /** Those that were let in, once one was not. */
  private kept: number[] | undefined

  constructor(source: SourceNode) {
    this.source = source
  }

  /** @param batch without keys, values and timestamps; all else is of every record, also of those that are left out @param latest no later timestamp is taken */
  begin(batch: RecordBatch, latest: number): void {
    this.batch = batch
    this.latest = latest
    this.kept = undefined
    this.view.batch = batch
  }

  /** @param i of the batch's records, in their order @throws DhaaraError DHAARA_TIMESTAMP, DHAARA_KEY_NULL; then it is to be left out */
  admit(i: number, found: unknown, value: unknown, appended: number): void {
    const { source, batch } = this
    const key = source.own === undefined ? found : keyFor(source, found, value)
    let ts = appended
    if (source.timestamp !== undefined && value !== null) ts = this.timeOf(source.timestamp, i, value, key, appended)
    if (!isTime(ts, this.latest)) throw badTimestamp(ts, this.latest)
    if (key === null && source.nullKeys === 'fail') throw nullKey(source)
    batch.keys.push(key)
    batch.values.push(value)
    batch.timestamps.push(ts)
    this.kept?.push(i)
  }

  leaveOut(i: number): void {
    this.kept ??= Array.from({ length: i }, (_, before) => before)
  }

  /** What was let in. */
  end(): RecordBatch {
    const { batch, kept } = this
    this.batch = noBatch
    this.view.batch = noBatch
    batch.count = batch.keys.length
    if (kept === undefined) return batch
    const { headers, raw, rawFrom = 0 } = batch
    return {
      ...batch,
      headers: headers && kept.map((i) => headers[i]),
      offsets: kept.map((i) => offsetAt(batch, i)),
      ...(raw === undefined ? {} : { rawIndex: kept.map((i) => rawFrom + i) }),
    }
  }

  private timeOf(timestamp: UserFn, i: number, value: unknown, key: unknown, appended: number): number {
    const { view, source } = this
    view.i = i
    view.ts = appended
    try {
      return timestamp(value, key, view)
    } catch (error) {
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      const message = `the timestamp function of source '${source.name}' threw ${text}; expected it to return epoch milliseconds, or a value that it can read`
      throw new DhaaraError('DHAARA_TIMESTAMP', message, { cause: error })
    }
  }
}

/** Of sources that are no topics: `keyOf` fills a missing key. */
const keyFor = (source: SourceNode, key: unknown, value: unknown): unknown =>
  key !== null || value === null || source.keyOf === undefined ? key : (source.keyOf(value) ?? null)

const isTime = (ts: unknown, latest: number): boolean =>
  typeof ts === 'number' && ts >= 0 && ts <= latest && ts <= LAST_TIMESTAMP && Number.isInteger(ts)

function nullKey(source: SourceNode): DhaaraError {
  return new DhaaraError(
    'DHAARA_KEY_NULL',
    `source '${source.name}' found a record without a key, and nullKeys is 'fail'; write keyed records, or say nullKeys: 'keep' | 'drop'`,
  )
}

function badTimestamp(ts: unknown, latest: number): DhaaraError {
  const expected = `an integer number of milliseconds from 0 to ${Math.min(latest, LAST_TIMESTAMP)}`
  return new DhaaraError(
    'DHAARA_TIMESTAMP',
    `found the timestamp ${String(ts)}; expected ${expected} (maxTimestampAhead sets how far ahead of the clock one may be)`,
  )
}
