import assert from 'node:assert/strict'
import { apps, type Running, readings } from '../engine/query/apps.ts'

/** An app whose stores have a hundred readings, served from before the tests of a `describe` until after them. */
export function servedApp() {
  const running = apps()
  let served: Running
  before(async function () {
    this.timeout(30_000)
    served = await running({ http: { port: 0 } })
    await served.send(readings(100))
    await served.until(async () => (await served.app.store('places').get(['Pune', 's0'])) === 15)
  })
  const url = (): string => served.app.httpUrl ?? ''
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url()}${path}`, { headers })
  return {
    /** Another one, of the same topology. */
    running,
    get app(): Running['app'] {
      return served.app
    },
    get url(): string {
      return url()
    },
    get,
    async json(path: string): Promise<unknown> {
      const response = await get(path)
      const body = await response.text()
      assert.equal(response.status, 200, body)
      return JSON.parse(body)
    },
  }
}
