import assert from 'node:assert/strict'

/** A counter, as the store shows it: how many writes were counted, and the number that the last of them bore. */
export interface Register {
  readonly count: number
  readonly last: number
}

/**
 * What is known of counters that are written through a topic, numbered 1, 2, 3, … each, and read through queries. A read that
 * began after another had ended must not show less, whatever died in between; none may show what was never sent, counts twice
 * or lose a write.
 */
export class History {
  /** Writes that were begun. */
  private readonly sent = new Map<string, number>()
  /** The most that a read has shown, of those that have ended. */
  private readonly shown = new Map<string, number>()
  reads = 0

  /** @returns the number of the write */
  begin(key: string): number {
    const n = (this.sent.get(key) ?? 0) + 1
    this.sent.set(key, n)
    return n
  }

  /** The log says that a write that was begun has not come about. */
  settle(key: string, last: number): void {
    assert.ok(last <= (this.sent.get(key) ?? 0), `${key} has ${last} in the log, and ${this.sent.get(key)} were sent`)
    assert.ok(last >= (this.shown.get(key) ?? 0), `${key} has ${last} in the log, and ${this.shown.get(key)} was read`)
    this.sent.set(key, last)
  }

  sentOf(key: string): number {
    return this.sent.get(key) ?? 0
  }

  /**
   * Reads counters.
   * @param least of each key, what must be there
   * @param ask undefined: refused, in a way that is worth a retry
   */
  async read(
    keys: readonly string[],
    least: ReadonlyMap<string, number>,
    how: string,
    ask: () => Promise<readonly (Register | null | undefined)[] | undefined>,
  ): Promise<boolean> {
    const floor = keys.map((key) => Math.max(this.shown.get(key) ?? 0, least.get(key) ?? 0))
    const found = await ask()
    if (found === undefined) return false
    assert.equal(found.length, keys.length, how)
    for (const [i, key] of keys.entries()) {
      const { count, last }: Register = found[i] ?? { count: 0, last: 0 }
      assert.equal(count, last, `${how}: ${key} counts ${count} writes, and the last is number ${last}`)
      const lowest = floor[i] as number
      assert.ok(
        count >= lowest,
        `${how}: ${key} shows ${count} after ${lowest} was shown, or named (${least.get(key)})`,
      )
      assert.ok(count <= this.sentOf(key), `${how}: ${key} shows ${count}, and ${this.sentOf(key)} were sent`)
      this.shown.set(key, Math.max(count, this.shown.get(key) ?? 0))
    }
    this.reads++
    return true
  }
}
