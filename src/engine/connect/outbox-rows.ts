/**
 * What waits for a sink, as rows of the state: written with the epoch that made it, removed when the sink has it. Behind the
 * prefix of the sink's store and the task's partition:
 *
 *     0x00                                       -> {epoch, bytes}   what was sealed last; bytes: of all rows, ever
 *     0x01                                       -> {epoch, bytes}   what the sink has
 *     0x03                                       -> a random name of this state's life
 *     0x02 | epoch u48 | index u32 | last u8     -> frame            a batch
 */
import { readFrames, sealFrame } from '../../connectors/broker/frame.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { BackendReader } from '../../state/backend.ts'
import { decodeValue, encodeValue } from '../../state/codec/index.ts'
import { after } from '../../state/stores/index.ts'

/** How far something has come. */
export interface Mark {
  readonly epoch: number
  readonly bytes: number
}

/** A batch that waits. */
export interface OutboxRow {
  readonly key: Buffer
  readonly frame: Buffer
  readonly epoch: number
  readonly index: number
  readonly last: boolean
}

const sealedKey = 0
const deliveredKey = 1
/** A row that begins so behind its prefix is a batch. */
export const batchKey = 2
const incarnationKey = 3

export const outboxSuffix = '.outbox'
/** Of the sink of this name. */
export const outboxStore = (sink: string): string => sink + outboxSuffix

const none: Mark = { epoch: 0, bytes: 0 }

const readMark = (reader: BackendReader, key: Uint8Array): Mark => {
  const row = reader.get(key)
  return row === undefined ? none : (decodeValue(row) as Mark)
}

export const encodeMark = (mark: Mark): Buffer => encodeValue(mark)

/** Rows of one task of one sink. */
export class OutboxRows {
  private readonly prefix: Buffer
  readonly sealedAt: Buffer
  readonly deliveredAt: Buffer
  readonly incarnationAt: Buffer

  constructor(prefix: Buffer) {
    this.prefix = prefix
    this.sealedAt = Buffer.concat([prefix, Buffer.of(sealedKey)])
    this.incarnationAt = Buffer.concat([prefix, Buffer.of(incarnationKey)])
    this.deliveredAt = Buffer.concat([prefix, Buffer.of(deliveredKey)])
  }

  incarnation(reader: BackendReader): string | undefined {
    const row = reader.get(this.incarnationAt)
    return row === undefined ? undefined : Buffer.from(row).toString()
  }

  sealed(reader: BackendReader): Mark {
    return readMark(reader, this.sealedAt)
  }

  delivered(reader: BackendReader): Mark {
    return readMark(reader, this.deliveredAt)
  }

  keyOf(epoch: number, index: number, last: boolean): Buffer {
    const key = Buffer.allocUnsafe(this.prefix.length + 12)
    this.prefix.copy(key)
    let at = key.writeUInt8(batchKey, this.prefix.length)
    at = key.writeUIntBE(epoch, at, 6)
    at = key.writeUInt32BE(index, at)
    key.writeUInt8(last ? 1 : 0, at)
    return key
  }

  /** The first batch that is not before (epoch, index). */
  next(reader: BackendReader, epoch: number, index: number): OutboxRow | undefined {
    const gte = this.keyOf(epoch, index, false)
    const lt = after(Buffer.concat([this.prefix, Buffer.of(batchKey)]))
    for (const [bytes, value] of reader.range({ gte, lt, limit: 1 })) {
      const key = Buffer.from(bytes)
      const at = this.prefix.length + 1
      return {
        key,
        frame: Buffer.from(value),
        epoch: key.readUIntBE(at, 6),
        index: key.readUInt32BE(at + 6),
        last: key[at + 10] === 1,
      }
    }
    return undefined
  }
}

/** The records of a batch. */
export function readBatch(frame: Buffer): FetchedBatch {
  sealFrame(frame, frame.readUInt32LE(12) - 1, 0, frame.length)
  return readFrames('', 0, [frame], 0) as FetchedBatch
}
