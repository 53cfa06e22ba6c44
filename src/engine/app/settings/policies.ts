import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import type { SourceNode } from '../../../dsl/plan/index.ts'
import type { RawRecord } from '../../../dsl/records.ts'
import type { DhaaraError } from '../../../errors/index.ts'
import { ErrorLog } from '../../metrics/error-log.ts'
import { deadLetterHeaders, errorHeaders, rawAt } from '../../runtime/failures/dead-letter.ts'
import type { ErrorAction as HostAction } from '../../runtime/host.ts'
import type { Outputs } from '../../runtime/outputs.ts'
import { toJson } from '../../query/to-json.ts'
import type { CurrentRecord, SourceRecord } from '../../runtime/record.ts'
import type { ErrorPolicy, Settings } from './options.ts'

/** A run of records that begins at or before an offset; undefined: there is none. */
export type ReadTopic = (topic: string, partition: number, offset: number) => FetchedBatch | undefined

/** What of an app's settings is about errors. */
export interface PolicySettings extends Pick<Settings, 'policies' | 'deadLetterTopic'> {
  readonly clock: Pick<Settings['clock'], 'now'>
}

/** Errors meet the policy of their domain; a source's `onInvalid` goes before it. Dead letters go with the epoch. */
export class Policies {
  private readonly settings: PolicySettings
  private readonly outputs: () => Outputs
  private readonly read: ReadTopic
  readonly errors = new ErrorLog()

  /** @param read of topics that sources read, where any offset can be asked for */
  constructor(settings: PolicySettings, outputs: () => Outputs, read: ReadTopic = () => undefined) {
    this.settings = settings
    this.outputs = outputs
    this.read = read
  }

  onUserError(error: DhaaraError, rec: CurrentRecord): HostAction {
    const { policies } = this.settings
    const policy =
      error.domain === 'data' ? policies.data : error.domain === 'external' ? policies.external : policies.user
    const none = rec.i < 0 && rec.source === undefined
    const action = typeof policy === 'function' ? policy(error, none ? undefined : rawOf(rec, this.read)) : policy
    this.errors.note(error, none ? {} : (rec.source ?? rec), action, this.settings.clock.now())
    return action
  }

  onDataError(error: DhaaraError, source: SourceNode, batch: FetchedBatch, i: number): HostAction {
    const { onInvalid } = source
    const record = rawAt(batch, i)
    const asked = typeof onInvalid === 'function' ? (onInvalid(error, record) as HostAction) : onInvalid
    const action = asked ?? this.decide(this.settings.policies.data, error, record)
    this.errors.note(error, record, action, this.settings.clock.now())
    return action
  }

  deadLetterRaw(error: DhaaraError, batch: FetchedBatch, i: number): void {
    const { key, value } = rawAt(batch, i)
    const headers = deadLetterHeaders(error, batch, i, this.settings.clock.now())
    this.outputs()
      .topic(this.settings.deadLetterTopic)
      .builders[0]?.add(key, value, batch.timestamps[i] as number, headers)
  }

  deadLetter(error: DhaaraError, rec: CurrentRecord): void {
    const raw = rawOf(rec, this.read)
    const headers = [
      ...(rec.rawHeaders ?? []),
      ...errorHeaders(error, raw.topic, raw.partition, raw.offset, this.settings.clock.now()),
    ]
    this.outputs()
      .topic(this.settings.deadLetterTopic)
      .builders[0]?.add(raw.key, raw.value, Math.max(0, raw.timestamp), headers)
  }

  private decide(policy: ErrorPolicy, error: DhaaraError, record: RawRecord | undefined): HostAction {
    return typeof policy === 'function' ? policy(error, record) : policy
  }
}

/** What failed: the source record's bytes as they came where they can be read, else its key and value as JSON. */
function rawOf(rec: CurrentRecord, read: ReadTopic): RawRecord {
  const { batch, i, source } = rec
  const { rawIndex } = rec
  if (rawIndex >= 0) return rawAt(batch.raw as FetchedBatch, rawIndex)
  const original = source && originalOf(source, read)
  if (original !== undefined) return original
  const { key, value } =
    i < 0 ? (rec.lost ?? { key: null, value: null }) : { key: batch.keys[i], value: batch.values[i] }
  const { topic, partition, offset } = source ?? rec
  const { timestamp, headers } = rec
  return { topic, partition, offset, timestamp, key: bytesOf(key), value: bytesOf(value), headers }
}

/** Behind a repartition; undefined: it has been deleted since, or lies with a broker that is asked in order only. */
function originalOf({ topic, partition, offset }: SourceRecord, read: ReadTopic): RawRecord | undefined {
  const batch = read(topic, partition, offset)
  if (batch === undefined) return undefined
  const at = batch.offsets.subarray(0, batch.count).indexOf(offset)
  return at < 0 ? undefined : rawAt(batch, at)
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value === null || value === undefined) return null
  return value instanceof Uint8Array ? value : Buffer.from(toJson(value))
}
