/** One thing to time over and over, and what is right about it. */
export interface MicroCase {
  readonly name: string
  /** Values, records or keys that one call handles: the rate is of these. */
  readonly perCall: number
  /** Returns something that depends on all the work, so that none of it can be left out. */
  readonly run: () => unknown
  /** Name of the case of the same group that it is held against. */
  readonly against?: string
}
