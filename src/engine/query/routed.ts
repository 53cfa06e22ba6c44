import type { StoreLayout } from './layout.ts'
import { mergePages } from './merge.ts'
import type { RawRange, RawValues, RawWindows, RowPages, RowSource } from './raw.ts'

/** Where the partitions of a store are to be found at this moment. */
export interface Places {
  readonly own: RowSource
  readonly others: readonly RowSource[]
  /** @throws DhaaraError: there are partitions of which nobody knows where they are, or that cannot be asked */
  checkComplete(): void
}

/** The rows of a store whose partitions are spread over instances: asked where they are, and merged in the order of their keys. */
export class RoutedRows implements RowSource {
  private readonly placesOf: (layout: StoreLayout) => Places

  constructor(placesOf: (layout: StoreLayout) => Places) {
    this.placesOf = placesOf
  }

  async get(layout: StoreLayout, keys: readonly Uint8Array[]): Promise<RawValues> {
    const places = this.placesOf(layout)
    const values = [...(await places.own.get(layout, keys))]
    const open = values.flatMap((value, i) => (value === undefined ? [i] : []))
    if (open.length === 0) return values
    places.checkComplete()
    const wanted = open.map((i) => keys[i] as Uint8Array)
    const answers = await Promise.all(places.others.map((place) => place.get(layout, wanted)))
    for (const [at, i] of open.entries()) {
      const found = answers.find((answer) => answer[at] !== undefined)
      if (found !== undefined) values[i] = found[at]
    }
    return values
  }

  scan(layout: StoreLayout, range: RawRange): RowPages {
    return this.merged(layout, range.reverse, (place) => place.scan(layout, range))
  }

  windows(layout: StoreLayout, range: RawWindows): RowPages {
    return this.merged(layout, range.reverse, (place) => place.windows(layout, range))
  }

  private merged(layout: StoreLayout, reverse: boolean, open: (place: RowSource) => RowPages): RowPages {
    const places = this.placesOf(layout)
    places.checkComplete()
    const pages: RowPages[] = []
    try {
      for (const place of [...places.others, places.own]) pages.push(open(place))
    } catch (error) {
      for (const one of pages) one.close()
      throw error
    }
    return mergePages(pages, reverse)
  }
}
