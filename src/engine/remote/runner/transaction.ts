import type { RemoteWriter } from '../../../connectors/broker/remote.ts'
import type { OutputFrame, Outputs } from '../../runtime/outputs.ts'
import type { Alarm } from '../../runtime/alarm.ts'
import { sendEarly } from './epoch.ts'

/** So many bytes of outputs are sent when its transaction is opened: a request more, for a shorter end. */
const WORTH_EARLY = 64 << 10
/** So long one that fails waits for the end of what it has left open, ms. */
const LONGEST_END = 2_000

/**
 * What has left of an epoch that has not ended, in the transaction that its end commits:
 *
 *     fence ─▶ (full outputs ─▶ open ─▶) seal ─▶ committed ─▶ …
 *                     │                   │
 *                     └─▶ taken back      └─▶ lost ─▶ fence
 *
 * At least once nothing is opened or taken back: what has left is there.
 */
export class Transaction {
  private readonly writer: RemoteWriter
  private readonly exactlyOnce: boolean
  private fenced = false
  private opened = false
  private sent = false
  /** Something has left that is neither committed nor taken back. */
  private unsettled = false
  /** One was lost: the next one is kept short, and nothing leaves before the epoch's end. */
  private short = false

  constructor(writer: RemoteWriter, exactlyOnce: boolean) {
    this.writer = writer
    this.exactlyOnce = exactlyOnce
  }

  async fence(): Promise<void> {
    if (this.fenced) return
    await this.writer.init()
    this.fenced = true
    this.unsettled = false
  }

  /** Nothing that was sent under its name before can come to be committed with what is sent now. */
  get isFenced(): boolean {
    return this.fenced
  }

  /** It is open, or about to be. */
  get isOpen(): boolean {
    return this.opened
  }

  /** It can be opened before the epoch's end. */
  get mayOpen(): boolean {
    return this.exactlyOnce && !this.opened && !this.short
  }

  /** Something of the running epoch has left already. */
  get hasSent(): boolean {
    return this.sent
  }

  /** The one before it was lost. */
  get followsLoss(): boolean {
    return this.short
  }

  /** What is full can go, once the transaction before this epoch's is over. */
  sendFull(outputs: Outputs): void {
    if (!this.short) this.send(outputs.takeFull(), outputs)
  }

  /** What can be told before the epoch's end need not be waited for behind it. @param group whose positions it will move */
  open(group: string | undefined, outputs: Outputs): void {
    this.opened = true
    this.sent = true
    this.unsettled = true
    this.writer.open(group)
    // what has left by then is not waited for behind the epoch's end
    this.send(outputs.takeEarly(WORTH_EARLY), outputs)
  }

  private send(frames: readonly OutputFrame[], { spare }: Outputs): void {
    if (frames.length === 0) return
    this.sent = true
    this.unsettled = true
    sendEarly(this.writer, frames, spare)
  }

  /** All of its epoch is about to leave; what comes from now on is the next one's. */
  sealed(): void {
    this.sent = false
    this.opened = false
    this.unsettled = true
  }

  committed(): void {
    this.unsettled = false
    this.short = false
  }

  /** The running epoch begins anew. */
  async takeBack(): Promise<void> {
    if (this.sent) await this.writer.abort()
    this.sent = false
    this.opened = false
    this.unsettled = false
  }

  /** It was refused, or nobody knows what became of it: a fence settles it. */
  lost(): void {
    this.fenced = false
    this.short = true
    this.sent = false
    this.opened = false
  }

  /** Nobody reads past an open transaction: one who ends takes it along, lest all wait until the broker gives it up. */
  async end(alarm: Alarm): Promise<void> {
    if (!this.exactlyOnce || !this.unsettled) return
    await Promise.race([this.writer.abort().catch(() => {}), alarm.after(LONGEST_END)])
  }
}
