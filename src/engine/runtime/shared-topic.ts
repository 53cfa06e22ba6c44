import type { FetchedBatch } from '../../connectors/broker/log.ts'

export interface PartitionSource {
  fetch(offset: number): FetchedBatch | undefined
  behind(offset: number): boolean
}

/**
 * A partition of a global table's topic, which every task of a thread reads: fetched once, and kept until all have got it.
 * What a reader is handed may begin before the offset that it asked for.
 */
export class SharedTopic {
  private readonly source: PartitionSource
  private readonly fetched: FetchedBatch[] = []
  /** Where each reader is. */
  private readonly at: number[] = []
  /** Offset after what was fetched; before the first fetch, where the hindmost reader is. */
  private next = Number.POSITIVE_INFINITY

  constructor(source: PartitionSource) {
    this.source = source
  }

  reader(position: number): PartitionSource {
    const number = this.at.push(position) - 1
    this.next = Math.min(this.next, position)
    return {
      fetch: (offset) => this.fetch(number, offset),
      behind: (offset) => offset < this.next || this.source.behind(this.next),
    }
  }

  private fetch(reader: number, offset: number): FetchedBatch | undefined {
    const { at, fetched } = this
    at[reader] = offset
    const hindmost = Math.min(...at)
    while (fetched.length > 0 && (fetched[0] as FetchedBatch).nextOffset <= hindmost) fetched.shift()
    for (const batch of fetched) if (batch.nextOffset > offset) return batch
    for (;;) {
      const batch = this.source.fetch(this.next)
      if (batch === undefined) return undefined
      this.next = batch.nextOffset
      if (this.next > hindmost) fetched.push(batch)
      if (this.next > offset) return batch
    }
  }
}
