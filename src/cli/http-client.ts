import { catalogue, DhaaraError, type KnownCode } from '../errors/index.ts'

/** Where an app is served. */
export interface Served {
  readonly url: string
  readonly token?: string
}

/** The options of commands that ask an app over HTTP. */
export const urlFlag = ['--url <url>', 'where the app is served: http://127.0.0.1:8090'] as const
export const tokenFlag = [
  '--token <token>',
  'its token; better in the variable HTTP_TOKEN, which process lists do not show',
] as const

/**
 * Asks an app over HTTP.
 * @throws DhaaraError DHAARA_QUERY with what the app says; DHAARA_OPTION where nobody answers
 */
export async function ask(
  { url, token = process.env['HTTP_TOKEN'] ?? '' }: Served,
  path: string,
  init: RequestInit = {},
) {
  const headers = new Headers(init.headers)
  if (token !== '') headers.set('authorization', `Bearer ${token}`)
  let response: Response
  try {
    response = await fetch(new URL(path, url.endsWith('/') ? url : `${url}/`), { ...init, headers })
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    throw new DhaaraError('DHAARA_OPTION', `nobody answers at ${url} (${why}); start the app with http: {port}`, {
      cause,
    })
  }
  if (response.ok) return response
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string; readonly code?: string }
  throw problemOf({ detail: `${response.status} ${response.statusText}`, ...problem })
}

export async function askJson<T>(served: Served, path: string, init: RequestInit = {}): Promise<T> {
  return (await (await ask(served, path, init)).json()) as T
}

export function postJson<T>(served: Served, path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' }
  return askJson(served, path, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** The data of server-sent events. */
export async function* askEvents(served: Served, path: string, signal: AbortSignal): AsyncGenerator<string, void> {
  const { body } = await ask(served, path, { signal, headers: { accept: 'text/event-stream' } })
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true })
    const events = rest.split('\n\n')
    rest = events.pop() as string
    for (const event of events) {
      const data = event.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
      if (event.startsWith('event: problem\n'))
        throw problemOf(JSON.parse(data.join('\n')) as { readonly detail: string })
      if (data.length > 0) yield data.join('\n')
    }
  }
}

/** What the app has said: by its own code, where it gives one. */
function problemOf({ detail, code = '' }: { readonly detail: string; readonly code?: string }): DhaaraError {
  return new DhaaraError(code in catalogue ? (code as KnownCode) : 'DHAARA_QUERY', detail)
}
