import type { History, Register } from './history.ts'

export type Positions = Readonly<Record<string, Readonly<Record<number, number>>>>

interface Row {
  readonly key: string
  readonly value: Register
}

export const keys = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1', 'c2']

/** Reads the counters of an app over HTTP, in each way that there is, and holds what it sees to the history. */
export class Reader {
  private readonly history: History
  private readonly urlOf: () => string | undefined
  refused = 0

  /** @param urlOf where to ask now; undefined: nowhere */
  constructor(history: History, urlOf: () => string | undefined) {
    this.history = history
    this.urlOf = urlOf
  }

  /** @param turn decides how @returns whether it was answered */
  async read(turn: number): Promise<boolean> {
    const none = new Map<string, number>()
    const key = keys[turn % keys.length] as string
    if (turn % 3 === 0) return this.history.read([key], none, 'get', () => this.row('registers', key))
    if (turn % 3 === 1) return this.history.read(keys, none, 'getMany', () => this.rows())
    const prefix = key.slice(0, 1)
    const own = keys.filter((one) => one.startsWith(prefix))
    return this.history.read(own, none, 'prefix', () => this.prefixed(prefix, own))
  }

  /** So much of a key must be seen, and of all keys behind the change of key, since the positions are named. */
  async readFrom(positions: Positions, least: ReadonlyMap<string, number>): Promise<boolean> {
    const minPosition = JSON.stringify(positions)
    const all = await this.history.read(keys, least, `getMany from ${minPosition}`, () => this.rows(positions))
    if (!all) return false
    const prefix = (keys[this.history.reads % keys.length] as string).slice(0, 1)
    const lowest = keys.reduce((n, key) => n + (key.startsWith(prefix) ? (least.get(key) ?? 0) : 0), 0)
    const found = await this.ask<{ value: number }>(
      `groups/row?${new URLSearchParams({ key: JSON.stringify(prefix), minPosition })}`,
    )
    if (found === undefined) return false
    const count = found === 'none' ? 0 : found.value
    if (count < lowest) throw new Error(`group ${prefix} shows ${count}, and ${minPosition} names ${lowest}`)
    return true
  }

  private async row(store: string, key: string): Promise<readonly (Register | undefined)[] | undefined> {
    const found = await this.ask<Row>(`${store}/row?${new URLSearchParams({ key: JSON.stringify(key) })}`)
    return found === undefined ? undefined : [found === 'none' ? undefined : found.value]
  }

  private async rows(positions?: Positions): Promise<readonly (Register | null)[] | undefined> {
    const query = positions === undefined ? '' : `?${new URLSearchParams({ minPosition: JSON.stringify(positions) })}`
    const found = await this.ask<{ values: (Register | null)[] }>(`registers/rows${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys }),
    })
    return found === undefined || found === 'none' ? undefined : found.values
  }

  private async prefixed(prefix: string, own: readonly string[]) {
    const found = await this.ask<{ rows: Row[] }>(
      `registers/rows?${new URLSearchParams({ prefix: JSON.stringify(prefix) })}`,
    )
    if (found === undefined || found === 'none') return undefined
    return own.map((key) => found.rows.find((row) => row.key === key)?.value)
  }

  /** undefined: nobody answers, or it is worth a retry. */
  private async ask<T>(path: string, init: RequestInit = {}): Promise<T | 'none' | undefined> {
    const url = this.urlOf()
    if (url === undefined) return undefined
    let response: Response
    let text: string
    try {
      response = await fetch(`${url}/api/stores/${path}`, { ...init, signal: AbortSignal.timeout(15_000) })
      text = await response.text()
    } catch {
      this.refused++
      return undefined
    }
    if (response.status === 200) return JSON.parse(text) as T
    const { detail, code } = JSON.parse(text) as { readonly detail: string; readonly code?: string }
    if (response.status === 404 && code === undefined) return 'none'
    if (response.status !== 503) throw new Error(`${response.status}: ${detail}`)
    if (response.headers.get('retry-after') === null) throw new Error('a refusal that does not say when to come again')
    this.refused++
    return undefined
  }
}
