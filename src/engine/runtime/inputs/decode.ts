import type { SourceNode } from '../../../dsl/plan/index.ts'
import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { Admission } from './admission.ts'
import { EpochAborted } from '../failures/errors.ts'
import { placeOf } from './places.ts'
import type { RawHeaders, RecordBatch } from '../record.ts'

interface FastSerde {
  deserialize(bytes: Uint8Array, topic: string): unknown
  /** Decodes where the bytes lie, without a view a record. */
  read?(data: Buffer, start: number, end: number, topic: string): unknown
}

type Reader = (data: Buffer, start: number, end: number) => unknown

export interface DecodePolicy {
  /** Throws if the record is to stop the app; else the record has been counted or dead-lettered, and is left out. */
  invalid(error: DhaaraError, source: SourceNode, batch: FetchedBatch, i: number): void
  /** No later timestamp is taken. */
  latest(): number
  /** Offsets of records that are left out, whatever is in them; mostly none. */
  readonly refused?: ReadonlySet<number> | undefined
  refuse?(source: SourceNode, batch: FetchedBatch, i: number): void
}

/** Bytes of one source -> values. What is invalid meets the policy and never moves a watermark. */
export class SourceDecoder {
  private readonly source: SourceNode
  private readonly policy: DecodePolicy
  private readonly key: Reader
  private readonly value: Reader
  private readonly admission: Admission
  private readonly place: number

  constructor(source: SourceNode, topic: string, partition: number, policy: DecodePolicy) {
    this.source = source
    this.place = placeOf(topic, partition)
    this.policy = policy
    this.admission = new Admission(source)
    this.key = reader(source.key as FastSerde | undefined, topic)
    this.value = reader(source.value as FastSerde | undefined, topic)
  }

  /** Records [from, to) of a run. */
  decode(fetched: FetchedBatch, from: number, to: number): RecordBatch {
    const { data, keyStart, keyEnd, valueStart, valueEnd, timestamps } = fetched
    const { source, admission, policy } = this
    const { refused } = policy
    const batch: RecordBatch = {
      topic: fetched.topic,
      partition: fetched.partition,
      count: 0,
      keys: [],
      values: [],
      olds: undefined,
      timestamps: [],
      w: undefined,
      headers: fetched.headers?.slice(from, to) as (RawHeaders | undefined)[] | undefined,
      offsets: fetched.offsets.subarray(from, to),
      baseOffset: fetched.offsets[from] ?? 0,
      raw: fetched,
      rawFrom: from,
      place: this.place,
    }
    admission.begin(batch, policy.latest())
    for (let i = from; i < to; i++) {
      if (refused !== undefined && refused.has(fetched.offsets[i] as number)) {
        admission.leaveOut(i - from)
        policy.refuse?.(source, fetched, i)
        continue
      }
      try {
        const key = (keyStart[i] as number) < 0 ? null : this.key(data, keyStart[i] as number, keyEnd[i] as number)
        const value =
          (valueStart[i] as number) < 0 ? null : this.value(data, valueStart[i] as number, valueEnd[i] as number)
        admission.admit(i - from, key, value, timestamps[i] as number)
      } catch (error) {
        // not the record's fault: whoever could not be asked may answer later
        if (error instanceof DhaaraError && error.domain === 'external') throw new EpochAborted(error)
        admission.leaveOut(i - from)
        policy.invalid(asDataError(error, source.name), source, fetched, i)
      }
    }
    return admission.end()
  }
}

function reader(serde: FastSerde | undefined, topic: string): Reader {
  if (serde === undefined) return (data, start, end) => data.subarray(start, end)
  const { read } = serde
  if (read !== undefined) return (data, start, end) => read.call(serde, data, start, end, topic)
  return (data, start, end) => serde.deserialize(data.subarray(start, end), topic)
}

export function asDataError(error: unknown, step: string): DhaaraError {
  if (error instanceof DhaaraError && error.domain === 'data')
    return new DhaaraError(error.code as never, error.message, { step, cause: error.cause ?? error })
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return new DhaaraError('DHAARA_DESERIALIZE', `a record could not be read: ${text}`, { step, cause: error })
}
