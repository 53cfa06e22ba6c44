import { FrameBuilder } from '../../connectors/broker/frame-builder.ts'
import type { DeliverNode } from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { encodeValue } from '../../state/codec/index.ts'
import type { Sealer } from '../../state/stores/index.ts'
import type { Outputs } from '../runtime/outputs.ts'
import type { CurrentRecord } from '../runtime/record.ts'
import { encodeMark, type OutboxRows } from './outbox-rows.ts'

interface AnySerializer {
  serialize(value: unknown, topic: string): Uint8Array
}

/** Of a batch, about: it is a row, and those of changelogs are records of a topic, which takes a megabyte by default. */
const mostBytes = 512 * 1024

/** A sink's step in one task: keeps what goes there with the epoch. Deliveries take it from the rows when they are written. */
export class Outbox {
  private readonly name: string
  private readonly key: AnySerializer | undefined
  private readonly value: AnySerializer | undefined
  private readonly most: number
  private readonly rows: OutboxRows
  private readonly outputs: Outputs
  private readonly rec: CurrentRecord
  private readonly builder = new FrameBuilder({ frameBytes: mostBytes })
  private frames: Buffer[] = []
  private epoch: number
  private bytes: number

  constructor(node: DeliverNode, rows: OutboxRows, reader: BackendReader, outputs: Outputs, rec: CurrentRecord) {
    this.name = node.name
    this.key = node.key
    this.value = node.value
    this.most = node.own.batchRecords
    this.rows = rows
    this.outputs = outputs
    this.rec = rec
    const { epoch, bytes } = rows.sealed(reader)
    this.epoch = epoch
    this.bytes = bytes
  }

  process(key: unknown, value: unknown, ts: number): void {
    const { builder } = this
    builder.add(this.encode(this.key, key, 'key'), this.encode(this.value, value, 'value'), ts, this.rec.rawHeaders)
    this.outputs.written++
    if (builder.count >= this.most || builder.full) this.frames.push(builder.finish())
  }

  /** The running epoch's batches; the next one begins. */
  seal(sealer: Sealer): void {
    if (this.builder.count > 0) this.frames.push(this.builder.finish())
    const { frames, rows } = this
    if (frames.length === 0) return
    this.frames = []
    this.epoch++
    for (const [i, frame] of frames.entries()) {
      sealer.put(rows.keyOf(this.epoch, i, i === frames.length - 1), frame)
      this.bytes += frame.length
    }
    sealer.put(rows.sealedAt, encodeMark({ epoch: this.epoch, bytes: this.bytes }))
  }

  private encode(serde: AnySerializer | undefined, value: unknown, what: string): Uint8Array | null {
    if (value === null || value === undefined) return null
    try {
      return serde === undefined ? encodeValue(value) : serde.serialize(value, this.name)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `the ${what} for the sink '${this.name}' could not be encoded: ${reason}. Map it to plain data first, or give the sink a serde`
      throw new DhaaraError('DHAARA_SERIALIZE', message, { cause })
    }
  }
}
