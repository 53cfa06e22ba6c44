import { clockInIndia, dateInIndia } from './india.ts'
import { bar, grouped, paint, type Style } from './terminal.ts'

/** How a run stands. */
export interface Standing {
  /** Events sent so far, of all. */
  readonly sent: number
  readonly total: number
  /** Events processed since the start. */
  readonly processed: number
  /** Epoch milliseconds; infinite before the first and after the last event. */
  readonly watermark: number
  /** What this job counts: orders, taps. */
  readonly counted: Readonly<Record<string, number>>
  readonly checkpoints: number
}

type Output = { readonly isTTY?: boolean; write(text: string): unknown }

/** Shows a run while it goes on: on a terminal one line that is drawn anew, elsewhere a line every second. */
export class Progress implements Disposable {
  readonly #look: () => Standing
  readonly #style: Style
  readonly #out: Output
  readonly #news: () => readonly string[]
  readonly #timer: NodeJS.Timeout
  #at = performance.now()
  #processed = 0

  /** @param news lines to show besides, since it was asked last */
  constructor(
    look: () => Standing,
    style: Style,
    out: Output = process.stdout,
    news: () => readonly string[] = () => [],
  ) {
    this.#look = look
    this.#style = style
    this.#out = out
    this.#news = news
    this.#timer = setInterval(() => this.#show(), out.isTTY ? 200 : 1000)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    if (this.#out.isTTY) this.#out.write('\r\u001b[K')
    for (const line of this.#news()) this.#out.write(`${line}\n`)
  }

  #show(): void {
    const standing = this.#look()
    const now = performance.now()
    const rate = ((standing.processed - this.#processed) * 1000) / (now - this.#at)
    this.#at = now
    this.#processed = standing.processed
    for (const one of this.#news()) this.#out.write(this.#out.isTTY ? `\r${one}\u001b[K\n` : `${one}\n`)
    const line = progressLine(standing, rate, this.#style)
    this.#out.write(this.#out.isTTY ? `\r${line}\u001b[K` : `${line}\n`)
  }
}

/** @param rate events a second */
export function progressLine({ sent, total, watermark, counted, checkpoints }: Standing, rate: number, style: Style) {
  const parts = [
    `${grouped(sent)} events`,
    `${grouped(Math.round(rate))}/s`,
    `watermark ${Number.isFinite(watermark) ? `${dateInIndia(watermark)} ${clockInIndia(watermark)} IST` : '-'}`,
    ...Object.entries(counted).map(([name, n]) => `${name} ${grouped(n)}`),
    `checkpoints ${grouped(checkpoints)}`,
  ]
  const drawn = style.colour ? `${paint(bar(sent / Math.max(1, total), 10), 'cyan', style)} ` : ''
  const text = parts.join('  ')
  const room = style.width - (drawn === '' ? 0 : 11) - 1
  return drawn + (style.colour && text.length > room ? text.slice(0, room) : text)
}
