import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { SourceNode } from '../../dsl/plan/index.ts'
import type { DhaaraError } from '../../errors/index.ts'
import type { Step } from '../plan/physical.ts'
import { SourceDecoder, type DecodePolicy } from '../runtime/inputs/decode.ts'
import { EpochAborted } from '../runtime/failures/errors.ts'
import { InputFeed, type Runs } from '../runtime/inputs/feed.ts'
import { noBatch, offsetAt } from '../runtime/record.ts'
import type { InputTime } from '../time/inputs.ts'
import { Chunk, fetchedOf, type SourcePosition } from './chunk.ts'
import { ColumnDecoder } from './columns.ts'
import type { SourceReader } from './source-reader.ts'

/** Records that are decoded at once, as for topics. */
const piece = 256

/** One partition of a source of the user's own. */
export class OwnFeed extends InputFeed {
  readonly source: string
  readonly partition: number
  private readonly reader: SourceReader
  /** With serdes, and without. */
  private readonly bytes: SourceDecoder | undefined
  private readonly columns: ColumnDecoder
  private chunk: Chunk
  private fetched: FetchedBatch | undefined
  /** Records of the chunk that were decoded. */
  private decoded = 0
  /** Positions of epochs that are sealed and not written yet. */
  private readonly sealed: { readonly epoch: number; readonly position: unknown }[] = []
  private committed: unknown
  private handedOver = false

  constructor(
    step: Step,
    time: InputTime,
    runs: Runs,
    partition: number,
    start: SourcePosition,
    reader: SourceReader,
    policy: DecodePolicy,
  ) {
    super(step.name, step, time, runs)
    this.source = step.name
    this.partition = partition
    this.reader = reader
    const node = step.op as SourceNode
    this.bytes = node.value === undefined ? undefined : new SourceDecoder(node, step.name, partition, policy)
    this.columns = new ColumnDecoder(node, partition, policy)
    this.chunk = new Chunk(start.position)
    this.chunk.base = start.offset
    this.committed = start.position
    this.begin = start
  }

  /** Until the first chunk. */
  private begin: SourcePosition | undefined

  /** Where to go on when what was processed is in a checkpoint. */
  get position(): SourcePosition {
    if (this.begin !== undefined) return this.begin
    const { batch, cursor, chunk } = this
    const next = cursor < batch.count ? offsetAt(batch, cursor) - chunk.base : this.decoded
    return chunk.at(next)
  }

  protected refill(): boolean {
    for (;;) {
      if (this.decoded >= this.chunk.count) {
        const next = this.take()
        if (next === undefined) break
        this.chunk = next
        this.decoded = next.skip
        this.batch = noBatch
        this.cursor = 0
        if (next.count === next.skip) continue
        this.begin = undefined
        if (this.bytes !== undefined) this.fetched = fetchedOf(next, this.source, this.partition)
      }
      const to = Math.min(this.decoded + piece, this.chunk.count)
      const from = this.decoded
      this.decoded = to
      this.batch =
        this.bytes === undefined
          ? this.columns.decode(this.chunk, from, to)
          : this.bytes.decode(this.fetched as FetchedBatch, from, to)
      this.cursor = 0
      if (this.batch.count > 0) return true
    }
    if (this.reader.ended) this.time.end()
    return false
  }

  protected get behind(): boolean {
    return this.reader.waiting
  }

  more(): boolean {
    return !this.time.ended && !this.time.idle && (this.reader.waiting || !this.reader.caughtUp)
  }

  /** @returns what of this feed is part of the epoch */
  seal(epoch: number): SourcePosition {
    const { position } = this
    this.sealed.push({ epoch, position: position.position })
    return position
  }

  /** The epoch is written: the source may let go of what lies before. */
  written(epoch: number): void {
    let reached: unknown = this.committed
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch)
      reached = this.sealed.shift()?.position
    if (reached === this.committed) return
    this.committed = reached
    this.reader.commit(reached)
  }

  endInput(): void {
    this.reader.end()
  }

  /** Somebody else goes on where this feed is. @returns what it reads from, which stays open */
  handOver(): { readonly reader: SourceReader; readonly at: SourcePosition } {
    const { reader, chunk, position: at } = this
    if (this.begin === undefined) reader.giveBack(chunk, at.offset - chunk.base)
    this.handedOver = true
    return { reader, at }
  }

  close(): void {
    if (!this.handedOver) this.reader.close()
  }

  private take(): Chunk | undefined {
    try {
      return this.reader.take()
    } catch (error) {
      throw new EpochAborted(error as DhaaraError)
    }
  }
}
