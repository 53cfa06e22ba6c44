import type { LetterFilter, LettersDone } from '../../connectors/broker/index.ts'
import { askJson, postJson, type Served } from '../http-client.ts'
import { letterTime, type ShownLetter } from '../output/letters.ts'
import type { LetterPlace, ListFilter } from './place.ts'

type SentLetter = Omit<ShownLetter, 'at'> & { readonly at: number }

interface Page {
  readonly letters: readonly SentLetter[]
  readonly before?: number
}

/** Letters of a page, as the server has it. */
const mostLetters = 1000

/** Dead letters of an app that is served; keys and values as its topology reads them. */
export function servedLetters(served: Served): LetterPlace {
  const page = (filter: ListFilter, limit: number, before: number | undefined) => {
    const query = new URLSearchParams({ ...filter, limit: String(Math.min(limit, mostLetters)) })
    if (before !== undefined) query.set('before', String(before))
    return askJson<Page>(served, `api/dead-letters?${query}`)
  }
  const change = (what: 'replay' | 'drop', filter: LetterFilter): Promise<LettersDone> =>
    postJson(served, `api/dead-letters/${what}`, Object.keys(filter).length === 0 ? { all: true } : filter)
  return {
    async list(filter, limit) {
      const found: ShownLetter[] = []
      for (let before: number | undefined; ; ) {
        const { letters, before: next } = await page(filter, limit - found.length, before)
        found.push(...letters.map(shown))
        if (next === undefined || found.length >= limit) return found
        before = next
      }
    },
    async one(offset) {
      const { letters } = await page({ state: 'all' }, 1, offset + 1)
      return letters.filter((letter) => letter.offset === offset).map(shown)[0]
    },
    replay: (filter) => change('replay', filter),
    drop: (filter) => change('drop', filter),
    [Symbol.asyncDispose]: async () => {},
  }
}

const shown = ({ at, ...letter }: SentLetter): ShownLetter => ({ ...letter, at: letterTime(at) })
