import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { SourceNode } from '../../dsl/plan/index.ts'
import type { RawRecord } from '../../dsl/records.ts'
import type { DhaaraError } from '../../errors/index.ts'
import { deadLetterHeaders, errorHeaders, rawAt } from '../runtime/dead-letter.ts'
import type { ErrorAction as HostAction } from '../runtime/host.ts'
import type { Outputs } from '../runtime/outputs.ts'
import type { CurrentRecord } from '../runtime/record.ts'
import type { ErrorPolicy, Settings } from './options.ts'

/** Errors meet the policy of their domain; a source's `onInvalid` goes before it. Dead letters go with the epoch. */
export class Policies {
  private readonly settings: Settings
  private readonly outputs: () => Outputs

  constructor(settings: Settings, outputs: () => Outputs) {
    this.settings = settings
    this.outputs = outputs
  }

  onUserError(error: DhaaraError, rec: CurrentRecord): HostAction {
    const { policies } = this.settings
    const policy =
      error.domain === 'data' ? policies.data : error.domain === 'external' ? policies.external : policies.user
    return this.decide(policy, error, rec.i < 0 ? undefined : rawOf(rec))
  }

  onDataError(error: DhaaraError, source: SourceNode, batch: FetchedBatch, i: number): HostAction {
    const { onInvalid } = source
    if (typeof onInvalid === 'function') return onInvalid(error, rawAt(batch, i)) as HostAction
    return onInvalid ?? this.decide(this.settings.policies.data, error, rawAt(batch, i))
  }

  deadLetterRaw(error: DhaaraError, batch: FetchedBatch, i: number): void {
    const { key, value } = rawAt(batch, i)
    const headers = deadLetterHeaders(error, batch, i, this.settings.clock.now())
    this.outputs()
      .topic(this.settings.deadLetterTopic)
      .builders[0]?.add(key, value, batch.timestamps[i] as number, headers)
  }

  deadLetter(error: DhaaraError, rec: CurrentRecord): void {
    const raw = rawOf(rec)
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

/** The record at hand, its bytes as they came where they are known, else its key and value as JSON. */
function rawOf(rec: CurrentRecord): RawRecord {
  const { batch, i } = rec
  const raw = batch.raw
  if (raw !== undefined && i >= 0) {
    const at = batch.rawIndex === undefined ? (batch.rawFrom ?? 0) + i : (batch.rawIndex[i] as number)
    return rawAt(raw, at)
  }
  const bytes = (value: unknown) =>
    value === null || value === undefined
      ? null
      : value instanceof Uint8Array
        ? value
        : Buffer.from(JSON.stringify(value) ?? '')
  return {
    topic: rec.topic,
    partition: rec.partition,
    offset: rec.offset,
    timestamp: rec.timestamp,
    key: bytes(batch.keys[i]),
    value: bytes(batch.values[i]),
    headers: rec.headers,
  }
}
