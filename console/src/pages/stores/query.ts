/** What is asked of a store, and as which request. */
export interface StoreInfo {
  readonly name: string
  readonly kind: 'keyValue' | 'list' | 'window' | 'inner'
  readonly partitions: number
  readonly indexes?: readonly string[]
}

export interface Asked {
  readonly key: string
  readonly prefix: string
  readonly from: string
  readonly to: string
  readonly reverse: boolean
  readonly latest: boolean
}

export const nothing: Asked = { key: '', prefix: '', from: '', to: '', reverse: false, latest: false }

export interface Row {
  readonly key: unknown
  readonly value: unknown
}

export interface RowPage {
  readonly rows: readonly Row[]
  readonly cursor?: string
}

/** A key as people write it: JSON where it is JSON, else text. */
export function keyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return JSON.stringify(text)
  }
}

export function rowsPath({ name, kind }: StoreInfo, asked: Asked, cursor: string | undefined): string {
  const query = new URLSearchParams({ limit: '50' })
  const base = `api/stores/${encodeURIComponent(name)}`
  if (asked.latest) query.set('isolation', 'latest')
  if (asked.reverse) query.set('reverse', 'true')
  if (cursor !== undefined) query.set('cursor', cursor)
  if (kind === 'window') {
    if (asked.key !== '') query.set('key', keyJson(asked.key))
    if (asked.from !== '') query.set('from', asked.from)
    if (asked.to !== '') query.set('to', asked.to)
    return `${base}/windows?${query}`
  }
  if (asked.prefix !== '') query.set('prefix', keyJson(asked.prefix))
  else {
    if (asked.from !== '') query.set('from', keyJson(asked.from))
    if (asked.to !== '') query.set('to', keyJson(asked.to))
  }
  return `${base}/rows?${query}`
}

export const rowPath = ({ name }: StoreInfo, { key, latest }: Asked): string =>
  `api/stores/${encodeURIComponent(name)}/row?${new URLSearchParams({
    key: keyJson(key),
    ...(latest ? { isolation: 'latest' } : {}),
  })}`

/** Columns of what is shown: the fields of the values where they are records, else one. */
export function columnsOf(rows: readonly Row[]): string[] | undefined {
  const names = new Set<string>()
  for (const { value } of rows) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    for (const name of Object.keys(value)) names.add(name)
    if (names.size > 12) return undefined
  }
  return names.size === 0 ? undefined : [...names]
}
