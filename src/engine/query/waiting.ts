import type { StoreLayout } from './layout.ts'
import type { RawRange, RawValues, RawWindows, RowPages, RowSource } from './raw.ts'

/** Rows of a source, as soon as something that was asked for has come. */
export class WaitingRows implements RowSource {
  private readonly rows: RowSource
  private readonly ready: () => Promise<void>

  constructor(rows: RowSource, ready: () => Promise<void>) {
    this.rows = rows
    this.ready = ready
  }

  async get(layout: StoreLayout, keys: readonly Uint8Array[], most?: number): Promise<RawValues> {
    await this.ready()
    return this.rows.get(layout, keys, most)
  }

  scan(layout: StoreLayout, range: RawRange): RowPages {
    return this.later(() => this.rows.scan(layout, range))
  }

  windows(layout: StoreLayout, range: RawWindows): RowPages {
    return this.later(() => this.rows.windows(layout, range))
  }

  private later(open: () => RowPages): RowPages {
    let pages: RowPages | undefined
    let closed = false
    return {
      next: async () => {
        if (pages === undefined) {
          await this.ready()
          if (closed) return []
          pages = open()
        }
        return pages.next()
      },
      close: () => {
        closed = true
        pages?.close()
      },
    }
  }
}
