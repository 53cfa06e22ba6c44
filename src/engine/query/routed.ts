import type { StoreLayout } from './layout.ts'
import { mergePages } from './merge.ts'
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

  /** Its own rows, then those of who is likely to have a key, then those of all others, unless it is certain that they have it not. */
  async get(layout: StoreLayout, keys: readonly Uint8Array[]): Promise<RawValues> {
    const places = this.placesOf(layout)
    const values: (Uint8Array | undefined)[] = Array.from(keys, () => undefined)
    const ask = async (place: RowSource, which: readonly number[]): Promise<void> => {
      if (which.length === 0) return
      const wanted = which.map((i) => keys[i] as Uint8Array)
      const found = await place.get(layout, wanted)
      for (const [at, i] of which.entries()) values[i] ??= found[at]
    }
    const all = keys.map((_, i) => i)
    const missing = (i: number): boolean => values[i] === undefined
    await ask(places.own, all)
    const likely = new Map<RowSource, number[]>()
    const open = new Map<number, RowSource | undefined>()
    for (const i of all.filter(missing)) {
      const found = places.placeOf(keys[i] as Uint8Array)
      if (found?.certain !== true) open.set(i, found?.place)
      if (found === undefined || found.place === places.own) continue
      const asked = likely.get(found.place)
      if (asked === undefined) likely.set(found.place, [i])
      else asked.push(i)
    }
    await Promise.all(Array.from(likely, ([place, which]) => ask(place, which)))
    const left = [...open.keys()].filter(missing)
    if (left.length === 0) return values
    places.checkComplete()
    await Promise.all(
      places.others.map((place) =>
        ask(
          place,
          left.filter((i) => open.get(i) !== place),
        ),
      ),
    )
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
