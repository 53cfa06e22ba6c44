import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { SinkBatch } from '../../dsl/connect/index.ts'
import type { DeliverNode } from '../../dsl/plan/index.ts'
import { decodeValue } from '../../state/codec/index.ts'
import { type OutboxRow, readBatch } from './outbox-rows.ts'

/** What a sink is handed: the columns of an outbox's batch, decoded. */
export class DeliveredBatch implements SinkBatch<unknown, unknown> {
  readonly length: number
  readonly keys: readonly unknown[]
  readonly values: readonly unknown[]
  readonly timestamps: readonly number[]
  readonly index: number
  readonly last: boolean
  readonly #fetched: FetchedBatch

  constructor({ frame, index, last }: OutboxRow, { key, value }: DeliverNode) {
    const fetched = readBatch(frame)
    const { data, keyStart, keyEnd, valueStart, valueEnd } = fetched
    this.#fetched = fetched
    this.length = fetched.count
    this.keys = column(fetched.count, data, keyStart, keyEnd, key !== undefined)
    this.values = column(fetched.count, data, valueStart, valueEnd, value !== undefined)
    this.timestamps = Array.from(fetched.timestamps.subarray(0, fetched.count))
    this.index = index
    this.last = last
  }

  headers(i: number): Readonly<Record<string, Uint8Array>> | undefined {
    const headers = this.#fetched.headers?.[i]
    return headers === undefined ? undefined : Object.fromEntries(headers)
  }

  *[Symbol.iterator]() {
    const { keys, values, timestamps, length } = this
    for (let i = 0; i < length; i++) yield { key: keys[i], value: values[i], timestamp: timestamps[i] as number }
  }
}

/** @param bytes a serde made them: they go out as they are */
function column(count: number, data: Buffer, starts: Int32Array, ends: Int32Array, bytes: boolean): unknown[] {
  const found: unknown[] = []
  for (let i = 0; i < count; i++) {
    const start = starts[i] as number
    const end = ends[i] as number
    found.push(start < 0 ? null : bytes ? data.subarray(start, end) : decodeValue(data, start, end))
  }
  return found
}
