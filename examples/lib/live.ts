import { type Broker, serdes } from '../../src/index.ts'
import type { OutputRow } from './rows.ts'
import { grouped, paint, type Style } from './terminal.ts'

/** Rows that a run shows as they come, one line each. */
export interface Live {
  readonly topics: readonly string[]
  /** Topics of windows. */
  readonly windowed?: readonly string[]
  /** undefined: not worth a line. */
  readonly line: (topic: string, row: OutputRow, style: Style) => string | undefined
  /** Lines between two looks; default 8, which is what somebody reads. */
  readonly most?: number
}

/** Follows topics while a run goes on. */
export class LiveRows {
  readonly read: Promise<unknown>
  readonly #live: Live
  readonly #style: Style
  #lines: string[] = []
  #unseen = 0

  constructor(broker: Broker, live: Live, style: Style, signal: AbortSignal) {
    this.#live = live
    this.#style = style
    const rest = { value: serdes.json(), signal }
    const text = { key: serdes.string(), ...rest }
    const windows = { key: serdes.windowed(serdes.string()), ...rest }
    this.read = Promise.all([
      ...live.topics.map((topic) => this.#read(topic, broker.consumer(topic, text))),
      ...(live.windowed ?? []).map((topic) => this.#read(topic, broker.consumer(topic, windows))),
    ])
  }

  /** Lines since the last look; where there are too many, how many there were besides. */
  take(): string[] {
    const lines = this.#lines
    if (this.#unseen > 0) lines.push(paint(`  … and ${grouped(this.#unseen)} more`, 'dim', this.#style))
    this.#lines = []
    this.#unseen = 0
    return lines
  }

  async #read(topic: string, rows: AsyncIterable<OutputRow>): Promise<void> {
    for await (const row of rows) {
      const line = this.#live.line(topic, row, this.#style)
      if (line === undefined) continue
      if (this.#lines.length < (this.#live.most ?? 8)) this.#lines.push(line)
      else this.#unseen++
    }
  }
}
