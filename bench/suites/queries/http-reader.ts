/**
 * Asks an app for rows over HTTP, from a process of its own: what it needs is not the app's. It stays for all that is asked in a
 * run: when it begins, its own code is slow until it is compiled.
 */
import { askSteadily } from './open-loop.ts'
import { Connections } from './connections.ts'
import { nameOf, store } from './names.ts'
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

const { url, rate, keys, pinned } = JSON.parse(process.argv[2]!) as ReaderJob
if (pinned) await giveOut(forQuestions)
const connections = await Connections.open(url, 32)

async function ask(): Promise<boolean> {
  const name = nameOf(Math.floor(Math.random() * keys))
  const { status, body } = await connections.get(`/api/stores/${store}/row?key=%22${name}%22`)
  return status === 200 && body.includes(`"last":"${name}"`)
}

process.on('message', ({ seconds }: ReaderOrder) => {
  void askSteadily(rate, seconds, ask).then((found) => process.send?.(found))
})
process.on('disconnect', () => connections.close())
process.send?.('ready')
