import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { SourceNode } from '../../dsl/plan/index.ts'
import { asDataError, checkTimestamp, type DecodePolicy, keyFor, nullKey, timeOf } from '../runtime/decode.ts'
import { placeOf } from '../runtime/places.ts'
import { CurrentRecord, type RecordBatch } from '../runtime/record.ts'
import { type Chunk, fetchedOf } from './chunk.ts'

/** Records of a source without serdes: values are what `read` gave. Bytes are made only of what is invalid. */
export class ColumnDecoder {
  private readonly source: SourceNode
  private readonly policy: DecodePolicy
  private readonly partition: number
  private readonly place: number
  private readonly view = new CurrentRecord()

  constructor(source: SourceNode, partition: number, policy: DecodePolicy) {
    this.source = source
    this.partition = partition
    this.place = placeOf(source.name, partition)
    this.policy = policy
  }

  /** Records [from, to) of a chunk. */
  decode(chunk: Chunk, from: number, to: number): RecordBatch {
    const { source, view, policy } = this
    const latest = policy.latest()
    const keys: unknown[] = []
    const values: unknown[] = []
    const timestamps: number[] = []
    const offsets: number[] = []
    let raw: FetchedBatch | undefined
    const { headers } = chunk
    const kept: number[] = []
    const batch: RecordBatch = {
      topic: source.name,
      partition: this.partition,
      count: 0,
      keys,
      values,
      olds: undefined,
      timestamps,
      w: undefined,
      headers: undefined,
      offsets,
      baseOffset: chunk.base + from,
      place: this.place,
    }
    view.batch = batch
    for (let i = from; i < to; i++) {
      const value = chunk.values[i]
      try {
        const key = keyFor(source, chunk.keys[i], value)
        let ts = chunk.timestamps[i] as number
        if (source.timestamp !== undefined && value !== null) {
          view.i = keys.length
          view.ts = ts
          ts = timeOf(source, value, key, view)
        }
        checkTimestamp(ts, latest)
        if (key === null && source.nullKeys === 'fail') throw nullKey(source)
        keys.push(key)
        values.push(value)
        timestamps.push(ts)
        offsets.push(chunk.base + i)
        kept.push(i)
      } catch (error) {
        raw ??= fetchedOf(chunk, source.name, this.partition)
        policy.invalid(asDataError(error, source.name), source, raw, i)
      }
    }
    batch.count = keys.length
    return headers === undefined ? batch : { ...batch, headers: kept.map((i) => headers[i]) }
  }
}
