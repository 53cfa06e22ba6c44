/** Asks an app for rows over HTTP, from a process of its own: what it needs is not the app's. */
import { Agent, get } from 'node:http'
import { askSteadily } from './open-loop.ts'
import { nameOf, store } from './names.ts'

export interface ReaderJob {
  readonly url: string
  readonly rate: number
  readonly seconds: number
  readonly keys: number
}

const { url, rate, seconds, keys } = JSON.parse(process.argv[2]!) as ReaderJob
const agent = new Agent({ keepAlive: true, maxSockets: 32 })

function ask(): Promise<boolean> {
  const name = nameOf(Math.floor(Math.random() * keys))
  const path = `/api/stores/${store}/row?key=%22${name}%22`
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, { agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve(response.statusCode === 200 && text.includes(`"last":"${name}"`)))
    }).on('error', reject)
  })
}

await askSteadily(rate / 10, 1, ask)
const found = await askSteadily(rate, seconds, ask)
process.send?.(found, undefined, undefined, () => process.exit())
