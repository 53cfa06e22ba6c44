import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { SourceNode } from '../../dsl/plan/index.ts'
import { Admission } from '../runtime/inputs/admission.ts'
import { asDataError, type DecodePolicy } from '../runtime/inputs/decode.ts'
import { placeOf } from '../runtime/inputs/places.ts'
import type { RecordBatch } from '../runtime/record.ts'
import { type Chunk, fetchedOf } from './chunk.ts'

/** Records of a source without serdes: values are what `read` gave. Bytes are made only of what is invalid. */
export class ColumnDecoder {
  private readonly source: SourceNode
  private readonly policy: DecodePolicy
  private readonly partition: number
  private readonly place: number
  private readonly admission: Admission

  constructor(source: SourceNode, partition: number, policy: DecodePolicy) {
    this.source = source
    this.partition = partition
    this.place = placeOf(source.name, partition)
    this.policy = policy
    this.admission = new Admission(source)
  }

  /** Records [from, to) of a chunk. */
  decode(chunk: Chunk, from: number, to: number): RecordBatch {
    const { source, admission, policy } = this
    let raw: FetchedBatch | undefined
    const batch: RecordBatch = {
      topic: source.name,
      partition: this.partition,
      count: 0,
      keys: [],
      values: [],
      olds: undefined,
      timestamps: [],
      w: undefined,
      headers: chunk.headers?.slice(from, to),
      offsets: undefined,
      baseOffset: chunk.base + from,
      place: this.place,
    }
    admission.begin(batch, policy.latest())
    for (let i = from; i < to; i++) {
      try {
        admission.admit(i - from, chunk.keys[i], chunk.values[i], chunk.timestamps[i] as number)
      } catch (error) {
        raw ??= fetchedOf(chunk, source.name, this.partition)
        admission.leaveOut(i - from)
        policy.invalid(asDataError(error, source.name), source, raw, i)
      }
    }
    return admission.end()
  }
}
