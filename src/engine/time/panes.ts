/**
 * The pieces that overlapping windows are made of: each window is a run of whole panes, and a record is in one pane.
 *
 *     windows   [─────────)            size 3, advance 2
 *                   [─────────)
 *     panes     [─)[─)[─)[─)[─)        width 1, the greatest common divisor
 *
 * A pane that would start before 0 is cut there, as windows are.
 */
export class PaneGrid {
  readonly width: number
  private readonly size: number
  private readonly advance: number
  private readonly offset: number

  /** @param offset at least 0, below `advance` */
  constructor(size: number, advance: number, offset: number) {
    this.width = divisor(size, advance)
    this.size = size
    this.advance = advance
    this.offset = offset
  }

  /** Start of the pane that holds t. */
  paneOf(t: number): number {
    const into = (t - this.offset) % this.width
    const start = into < 0 ? t - into - this.width : t - into
    return start < 0 ? 0 : start
  }

  /** Start of the first window that ends after t. */
  firstEndingAfter(t: number): number {
    const { size, advance, offset } = this
    const start = offset + (Math.floor((t - size - offset) / advance) + 1) * advance
    return start > 0 ? start : 0
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
