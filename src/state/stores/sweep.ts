interface Swept {
  /** Last epoch that changed it and is not written; 0: none. */
  readonly dirty: number
  /** Touched since the last sweep. */
  used: boolean
}

/**
 * Second chance (the clock of page replacement): spares what was used since the last sweep, and what is not written. Goes on from
 * `hand` while there is too much.
 *
 * @returns whether the hand has come to the end
 */
export function sweep<K, E extends Swept>(
  entries: Map<K, E>,
  hand: Iterable<[K, E]>,
  tooMuch: () => boolean,
  gone: (entry: E) => void,
): boolean {
  for (const [id, entry] of hand) {
    if (entry.dirty === 0) {
      if (entry.used) entry.used = false
      else {
        entries.delete(id)
        gone(entry)
        if (!tooMuch()) return false
      }
    }
  }
  return true
}
