/** A record that was put aside, and why. */
export interface DeadLetter {
  /** In the topic of dead letters: names the letter. */
  readonly offset: number
  /** When it was put aside, epoch ms. */
  readonly at: number
  readonly code: string
  readonly step: string
  readonly message: string
  readonly stack: string
  /** Where it came from. */
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** Its own. */
  readonly headers: Readonly<Record<string, string>>
  /** What was done with it since. */
  readonly state: LetterState
}

export type LetterState = 'open' | 'replayed' | 'dropped'

/** Which letters: all that fit every one of these. */
export interface LetterFilter {
  readonly offsets?: readonly number[]
  readonly code?: string
  readonly step?: string
  /** Of their input. */
  readonly topic?: string
  /** Text in the message. */
  readonly message?: string
  /** Default 'open'. */
  readonly state?: LetterState | 'all'
}

export interface LetterPage {
  readonly letters: readonly DeadLetter[]
  /** Where the next page goes on: letters before this offset; absent at the end. */
  readonly before?: number
}

/** What a change has done. */
export interface LettersDone {
  readonly done: number
  /** Letters whose input is not known or not there any more, and named ones that are open no more. */
  readonly refused: readonly { readonly offset: number; readonly why: string }[]
}

/** What other processes ask: `letters.list`, `letters.replay`, `letters.drop`. */
export interface LettersRequest {
  /** The topic of dead letters. */
  readonly from: string
  readonly filter?: LetterFilter
  readonly limit?: number
  readonly before?: number | undefined
}
