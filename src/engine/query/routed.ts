import type { StoreLayout } from './layout.ts'
import { mergePages, pagesOrElse } from './merge.ts'
import type { RawRange, RawValues, RawWindows, RowPages, RowSource } from './raw.ts'

/** Where the partitions of a store are to be found at this moment. */
export interface Places {
  readonly own: RowSource
  readonly others: readonly RowSource[]
  /**
   * Where a key's row is likely to be; `certain`: there or nowhere. undefined: nobody knows.
   * @throws DhaaraError: nobody has it at this moment, or who has it cannot be asked
   */
  placeOf(key: Uint8Array): { readonly place: RowSource; readonly certain: boolean } | undefined
  /** @throws DhaaraError: there are partitions of which nobody knows where they are, or that cannot be asked */
  checkComplete(): void
}

/** The rows of a store whose partitions are spread over instances: asked where they are, and merged in the order of their keys. */
export class RoutedRows implements RowSource {
  private readonly placesOf: (layout: StoreLayout) => Places

  constructor(placesOf: (layout: StoreLayout) => Places) {
    this.placesOf = placesOf
  }

  /** Each key of who is likely to have it, else of this instance; then of all others, unless it is certain that they do not. */
  async get(layout: StoreLayout, keys: readonly Uint8Array[], most?: number): Promise<RawValues> {
    const places = this.placesOf(layout)
    const values: (Uint8Array | undefined)[] = Array.from(keys, () => undefined)
    const ask = async (place: RowSource, which: readonly number[]): Promise<void> => {
      if (which.length === 0) return
      const wanted = which.map((i) => keys[i] as Uint8Array)
      const found = await place.get(layout, wanted, most)
      for (const [at, i] of which.entries()) values[i] ??= found[at]
    }
    const known = keys.map((key) => places.placeOf(key) ?? { place: places.own, certain: false })
    const asked = Map.groupBy(known.keys(), (i) => known[i]?.place as RowSource)
    await Promise.all(Array.from(asked, ([place, which]) => ask(place, which)))
    const left = Array.from(known.keys()).filter((i) => values[i] === undefined && known[i]?.certain === false)
    if (left.length === 0) return values
    places.checkComplete()
    const others = [places.own, ...places.others].map((place) =>
      ask(
        place,
        left.filter((i) => known[i]?.place !== place),
      ),
    )
    await Promise.all(others)
    return values
  }

  scan(layout: StoreLayout, range: RawRange): RowPages {
    const { own, others, checkComplete } = this.placesOf(layout)
    checkComplete()
    return merged([...others, own], range.reverse, (place) => place.scan(layout, range))
  }

  windows(layout: StoreLayout, range: RawWindows): RowPages {
    const { own, others, placeOf, checkComplete } = this.placesOf(layout)
    const likely = placeOf(range.key)
    const rest = (): RowPages => {
      checkComplete()
      const places = [...others, own].filter((place) => place !== likely?.place)
      return merged(places, range.reverse, (place) => place.windows(layout, range))
    }
    if (likely === undefined) return rest()
    const pages = likely.place.windows(layout, range)
    return likely.certain ? pages : pagesOrElse(pages, rest)
  }
}

function merged(places: readonly RowSource[], reverse: boolean, open: (place: RowSource) => RowPages): RowPages {
  const pages: RowPages[] = []
  try {
    for (const place of places) pages.push(open(place))
  } catch (error) {
    for (const one of pages) one.close()
    throw error
  }
  return mergePages(pages, reverse)
}
