/**
 * Records from another process to the log. They travel as frames, which are one piece of bytes to whoever packs and unpacks
 * messages: an object a record costs the owner's thread, which has other work, several times what the record costs.
 */
import { DhaaraError } from '../../errors/index.ts'
import type { EmbeddedLease } from '../broker/broker.ts'
import {
  asBuffer,
  frameCount,
  frameProblem,
  hasHeaders,
  readFrames,
  recordsProblem,
  sealFrame,
} from '../broker/frame.ts'
import { FrameBuilder } from '../broker/frame-builder.ts'
import type { LogTransaction, RecordHeaders } from '../broker/log.ts'
import { partitionOf } from '../broker/partitioner.ts'

/** A record as other processes send it. */
export interface WireRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** Default: now. */
  readonly timestamp?: number
  readonly headers?: RecordHeaders
  readonly partition?: number
}

export interface ProduceParams {
  readonly topic: string
  readonly records?: readonly WireRecord[]
  /** Of records that name no partition, each frame sealed as if it were alone. */
  readonly frames?: readonly Uint8Array[]
}

/** As they are sent. @param builder an empty one, which it leaves so @throws DhaaraError DHAARA_RECORD_TOO_LARGE */
export function produceParams(
  topic: string,
  records: readonly WireRecord[],
  builder: FrameBuilder = new FrameBuilder(),
): ProduceParams {
  if (records.some(({ partition }) => partition !== undefined)) return { topic, records }
  const frames: Uint8Array[] = []
  const finish = (): void => {
    const { count } = builder
    const frame = builder.finish()
    sealFrame(frame, count - 1, 0, 0)
    frames.push(frame)
  }
  const now = Date.now()
  try {
    for (const { key, value, timestamp = now, headers } of records) {
      builder.add(key, value, timestamp, headers)
      if (builder.full) finish()
    }
    if (builder.count > 0) finish()
  } catch (error) {
    builder.clear()
    throw error
  }
  return { topic, frames }
}

/** Of so many partitions, kept from one request to the next. */
const mostSpare = 16

/** All records in one commit. @param spare empty builders by partition, to which it adds those that it makes */
export async function produce(
  { log, backend, ensureTopic }: Pick<EmbeddedLease, 'backend' | 'log' | 'ensureTopic'>,
  { topic, records = [], frames = [] }: ProduceParams,
  spare: FrameBuilder[] = [],
): Promise<{ readonly records: number }> {
  for (let busy = log.free(); busy !== undefined; busy = log.free()) await busy
  const { partitions } = ensureTopic(topic)
  const transaction = log.begin(backend.batch())
  const runs = new Runs(transaction, topic, partitions, spare)
  try {
    for (const one of records) runs.add(one)
    for (const frame of frames) runs.addAll(sound(frame))
    runs.finish()
    transaction.commit()
  } catch (error) {
    transaction.rollback()
    spare.forEach((builder) => builder.clear())
    throw error
  } finally {
    if (spare.length > mostSpare) spare.length = mostSpare
  }
  return { records: runs.count }
}

/** @throws DhaaraError DHAARA_DESERIALIZE */
function sound(bytes: Uint8Array): Buffer {
  const frame = asBuffer(bytes)
  const problem = frameProblem(frame) ?? recordsProblem(frame)
  if (problem === undefined) return frame
  throw new DhaaraError(
    'DHAARA_DESERIALIZE',
    `Records came that cannot be appended: ${problem}; is it dhaara that sends?`,
  )
}

/** A frame under way for each partition that has records. */
class Runs {
  count = 0
  private readonly transaction: LogTransaction
  private readonly topic: string
  private readonly partitions: number
  private readonly builders: FrameBuilder[]
  private readonly sticky: number

  constructor(transaction: LogTransaction, topic: string, partitions: number, builders: FrameBuilder[]) {
    this.transaction = transaction
    this.topic = topic
    this.partitions = partitions
    this.builders = builders
    this.sticky = Math.floor(Math.random() * partitions)
  }

  add({ key, value, timestamp = Date.now(), headers, partition }: WireRecord): void {
    this.put(key, value, timestamp, headers, partition)
  }

  addAll(frame: Buffer): void {
    if (this.partitions === 1 && !hasHeaders(frame)) {
      // what came before it goes before it
      this.finish()
      this.transaction.append(this.topic, 0, frame)
      this.count += frameCount(frame)
      return
    }
    const batch = readFrames(this.topic, 0, [frame], 0)
    if (batch === undefined) return
    const { count, data, keyStart, keyEnd, valueStart, valueEnd, timestamps, headers } = batch
    for (let i = 0; i < count; i++) {
      const [k, v] = [keyStart[i] as number, valueStart[i] as number]
      const key = k < 0 ? null : data.subarray(k, keyEnd[i])
      this.put(key, v < 0 ? null : data.subarray(v, valueEnd[i]), timestamps[i] as number, headers?.[i])
    }
  }

  finish(): void {
    this.builders.forEach((builder, p) => {
      if (builder.count > 0) this.transaction.append(this.topic, p, builder.finishShared())
    })
  }

  private put(
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestamp: number,
    headers: RecordHeaders | undefined,
    partition?: number,
  ): void {
    this.count++
    const { topic, partitions } = this
    const to = partition ?? (key === null ? this.sticky : partitionOf(key, partitions))
    if (!Number.isInteger(to) || to < 0 || to >= partitions) {
      throw new DhaaraError('DHAARA_OPTION', `Topic '${topic}' has ${partitions} partitions; there is no ${to}`)
    }
    const builder = (this.builders[to] ??= new FrameBuilder())
    builder.add(key, value, timestamp, headers)
    if (builder.full) this.transaction.append(topic, to, builder.finishShared())
  }
}
