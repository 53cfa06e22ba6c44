import type { LetterFilter, LettersDone } from '../../connectors/broker/index.ts'
import type { ShownLetter } from '../output/letters.ts'

export type ListFilter = Omit<LetterFilter, 'offsets'>

/** Where dead letters lie, or who can be asked about them. */
export interface LetterPlace extends AsyncDisposable {
  /** The newest first. */
  list(filter: ListFilter, limit: number): Promise<ShownLetter[]>
  /** Whatever was done with it. */
  one(offset: number): Promise<ShownLetter | undefined>
  replay(filter: LetterFilter): Promise<LettersDone>
  drop(filter: LetterFilter): Promise<LettersDone>
}
