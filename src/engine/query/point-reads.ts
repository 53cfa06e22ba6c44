import type { BackendReader } from '../../state/backend.ts'

/** Of one call: some 0.7 ms. */
const mostKeys = 128

/**
 * Rows of single keys that are asked for in one turn of the event loop, read together at its end: a call for each takes twice
 * the time, and who asks for one after the other leaves room for all else that waits.
 */
export class PointReads {
  private readonly reader: BackendReader
  private keys: Uint8Array[] = []
  private asked: Asked[] = []

  constructor(reader: BackendReader) {
    this.reader = reader
  }

  /** @param keys where the row may be; it is in one place at most */
  get(keys: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    if (keys.length === 0) return Promise.resolve(undefined)
    return new Promise((found, failed) => {
      if (this.asked.length === 0) setImmediate(this.read)
      for (const key of keys) this.keys.push(key)
      this.asked.push({ found, failed, places: keys.length })
    })
  }

  private readonly read = (): void => {
    let [count, end] = [0, 0]
    while (count < this.asked.length && end < mostKeys) end += (this.asked[count++] as Asked).places
    const whole = count === this.asked.length
    const keys = whole ? this.keys : this.keys.splice(0, end)
    const asked = whole ? this.asked : this.asked.splice(0, count)
    if (whole) {
      this.keys = []
      this.asked = []
    } else setImmediate(this.read)
    let rows: readonly (Uint8Array | undefined)[]
    try {
      rows = this.reader.getMany(keys)
    } catch (error) {
      for (const { failed } of asked) failed(error)
      return
    }
    let at = 0
    for (const { found, places } of asked) {
      let row = rows[at]
      for (let i = 1; i < places; i++) row ??= rows[at + i]
      at += places
      found(row)
    }
  }
}

interface Asked {
  readonly found: (row: Uint8Array | undefined) => void
  readonly failed: (error: unknown) => void
  readonly places: number
}
