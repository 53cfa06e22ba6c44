/** Requests to the app that serves this page, and to nobody else. */

export class Problem extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

const tokenName = 'dhaara-token'
let token = sessionStorage.getItem(tokenName)
const asking = new Set<() => void>()

/** Told when the app wants a token that we do not have. */
export function onTokenWanted(listener: () => void): () => void {
  asking.add(listener)
  return () => void asking.delete(listener)
}

export const hasToken = (): boolean => token !== null

export function setToken(given: string): void {
  token = given
  sessionStorage.setItem(tokenName, given)
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  if (token !== null) headers.set('authorization', `Bearer ${token}`)
  const response = await fetch(path, { ...init, headers })
  if (response.ok) return response
  if (response.status === 401) for (const listener of asking) listener()
  const body = (await response.json().catch(() => ({}))) as { detail?: string }
  throw new Problem(response.status, body.detail ?? `${response.status} ${response.statusText}`)
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, signal === undefined ? {} : { signal })
  return (await response.json()) as T
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' }
  const response = await ask(path, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as T
}

export interface ServerEvent {
  readonly name: string
  readonly data: string
}

/**
 * Server-sent events, read with `fetch`: an EventSource cannot send a token.
 * @param opened told before the first of them: the server has begun to watch
 */
export async function* events(
  path: string,
  signal: AbortSignal,
  opened: () => Promise<void> | void = () => {},
): AsyncGenerator<ServerEvent, void> {
  const response = await ask(path, { signal, headers: { accept: 'text/event-stream' } })
  await opened()
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    rest += decoder.decode(value, { stream: true })
    const parts = rest.split('\n\n')
    rest = parts.pop() as string
    for (const part of parts) {
      const event = parse(part)
      if (event?.name === 'problem') {
        const { status, detail } = JSON.parse(event.data) as { readonly status: number; readonly detail: string }
        throw new Problem(status, detail)
      }
      if (event !== undefined) yield event
    }
  }
}

function parse(text: string): ServerEvent | undefined {
  let name = 'message'
  const data: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('event: ')) name = line.slice(7)
    else if (line.startsWith('data: ')) data.push(line.slice(6))
  }
  return data.length === 0 ? undefined : { name, data: data.join('\n') }
}
