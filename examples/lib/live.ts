import { type Broker, serdes } from '../../src/index.ts'
import type { OutputRow } from './rows.ts'
import { grouped, paint, type Style } from './terminal.ts'

/** Rows that a run shows as they come, one line each. */
export interface Live {
  readonly topics: readonly string[]
  readonly line: (topic: string, row: OutputRow, style: Style) => string
}

/** More than anybody reads between two looks. */
const LINES = 8

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
    const serde = { key: serdes.string(), value: serdes.json(), signal }
    this.read = Promise.all(live.topics.map((topic) => this.#read(topic, broker.consumer(topic, serde))))
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
      if (this.#lines.length < LINES) this.#lines.push(this.#live.line(topic, row, this.#style))
      else this.#unseen++
    }
  }
}
