/**
 * Asks an app for rows over HTTP, from a process of its own: what it needs is not the app's. It stays for all that is asked in a
 * run: when it begins, its own code is slow until it is compiled. What it leaves to collect is collected before each run, since
 * an asker that stands still while it collects would count its own time as that of those who answer.
 */
import { Connections } from './connections.ts'
import { nameOf, store } from './names.ts'
import { exactRest, OpenLoop } from './open-loop.ts'
import { forQuestions, giveOut } from './pinned.ts'

export interface ReaderJob {
  readonly url: string
  readonly rate: number
  readonly keys: number
  readonly pinned: boolean
}

export interface ReaderOrder {
  readonly seconds: number
}

/** Its young objects of some seconds are collected at once, and few are left then. */
export const readerFlags = ['--min-semi-space-size=64', '--max-semi-space-size=64', '--expose-gc']

async function main({ url, rate, keys, pinned }: ReaderJob): Promise<void> {
  if (pinned) await giveOut(forQuestions)
  // drawn beforehand: an answer is held to the name that its question had
  const drawn = Uint32Array.from({ length: 2 ** 16 }, () => Math.random() * keys)
  const name = (question: number): string => nameOf(drawn[question % drawn.length] as number)
  let [loop, first] = [new OpenLoop(rate, 0, exactRest), 0]
  const connections = await Connections.open(url, 32, {
    path: (question) => `/api/stores/${store}/row?key=%22${name(question)}%22`,
    answered: (question, status, body) =>
      loop.answered(question - first, status === 200 && body.includes(`"last":"${name(question)}"`)),
  })
  process.on('message', ({ seconds }: ReaderOrder) => {
    globalThis.gc?.()
    loop = new OpenLoop(rate, seconds, exactRest)
    const asking = loop.run((question) => {
      const number = connections.ask()
      if (question === 0) first = number
    })
    void asking.then((found) => process.send?.(found))
  })
  process.on('disconnect', () => connections.close())
  process.send?.('ready')
}

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as ReaderJob)
