/** Asks an app for rows over HTTP, from a process of its own: what it needs is not the app's. */
import { askSteadily } from './open-loop.ts'
import { Connections } from './connections.ts'
import { nameOf, store } from './names.ts'

export interface ReaderJob {
  readonly url: string
  readonly rate: number
  readonly seconds: number
  readonly keys: number
}

const { url, rate, seconds, keys } = JSON.parse(process.argv[2]!) as ReaderJob
const connections = await Connections.open(url, 32)

async function ask(): Promise<boolean> {
  const name = nameOf(Math.floor(Math.random() * keys))
  const { status, body } = await connections.get(`/api/stores/${store}/row?key=%22${name}%22`)
  return status === 200 && body.includes(`"last":"${name}"`)
}

const found = await askSteadily(rate, seconds, ask)
connections.close()
process.send?.(found, undefined, undefined, () => process.exit())
