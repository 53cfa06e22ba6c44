interface Put {
  readonly key: string
  readonly value: string | null
  readonly at: number
}

/** A versioned store that keeps every version and looks at all of them. */
export class VersionedModel {
  private readonly puts: Put[] = []
  private readonly history: number
  private time = Number.NEGATIVE_INFINITY

  constructor(history: number) {
    this.history = history
  }

  /** Is it the key's present row now? undefined: too old, refused. */
  put(key: string, value: string | null, at: number): boolean | undefined {
    if (at < this.time - this.history) return undefined
    this.time = Math.max(this.time, at)
    this.puts.push({ key, value, at })
    return this.last(key, Number.POSITIVE_INFINITY)?.at === at
  }

  get(key: string): string | undefined {
    return this.last(key, Number.POSITIVE_INFINITY)?.value ?? undefined
  }

  asOf(key: string, at: number): string | undefined {
    const found = this.last(key, at)
    const present = this.last(key, Number.POSITIVE_INFINITY)
    if (at < this.time - this.history && found !== present) return undefined
    return found?.value ?? undefined
  }

  /** The version that holds at a time: of those put for one moment, the last. */
  private last(key: string, at: number): Put | undefined {
    let found: Put | undefined
    for (const put of this.puts)
      if (put.key === key && put.at <= at && (found === undefined || put.at >= found.at)) found = put
    return found
  }
}
