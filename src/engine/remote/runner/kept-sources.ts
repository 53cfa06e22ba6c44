import type { SourcePosition } from '../../connect/chunk.ts'
import type { OwnFeed } from '../../connect/source-feed.ts'
import type { SourceReader } from '../../connect/source-reader.ts'

/** Sources of the user's own that stay open while their tasks are made anew: those that nothing is taken back of. */
export class KeptSources {
  private readonly found = new Map<string, { readonly reader: SourceReader; readonly at: SourcePosition }>()

  keep(feed: OwnFeed): void {
    this.found.set(nameOf(feed.source, feed.partition), feed.handOver())
  }

  /** @returns undefined: none, or one that is elsewhere; then a new one is opened */
  take(source: string, partition: number, start: SourcePosition): SourceReader | undefined {
    const name = nameOf(source, partition)
    const one = this.found.get(name)
    if (one === undefined || one.at.offset !== start.offset || one.at.skip !== start.skip) return undefined
    this.found.delete(name)
    return one.reader
  }

  /** Those that nobody has taken. */
  close(): void {
    for (const { reader } of this.found.values()) reader.close()
    this.found.clear()
  }
}

const nameOf = (source: string, partition: number): string => `${partition}/${source}`
