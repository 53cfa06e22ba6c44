import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { DhaaraError } from '../../errors/index.ts'
import type { Call, Request, Response } from './requests.ts'

export interface HttpOptions {
  /** Asked in this order; the next one where one cannot be reached. */
  readonly urls: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  /** For one answer, ms. */
  readonly timeout: number
  /** How often the registry is asked until it is given up. */
  readonly attempts: number
}

/** What is asked of another thread, and what that says. */
export interface Asked {
  readonly request: Request
  readonly options: HttpOptions
}
export type Answered = { readonly response: Response } | { readonly message: string }

// one file extension here and there: sources run as they are, the package is compiled
const script = new URL(import.meta.url.endsWith('.ts') ? './asker-thread.ts' : './asker-thread.js', import.meta.url)
const firstPause = 200
const longestPause = 5000
/** Answers that may be others next time. */
const passing = (status: number): boolean => status === 429 || status >= 500

/** @throws DhaaraError what the call throws; DHAARA_REGISTRY where the registry cannot be reached */
export async function run<T>(call: Call<T>, options: HttpOptions): Promise<T> {
  let next = call.next()
  while (!next.done) next = call.next(await ask(next.value, options))
  return next.value
}

/** @throws DhaaraError DHAARA_REGISTRY */
export async function ask({ method, path, body }: Request, options: HttpOptions): Promise<Response> {
  const { urls, headers, timeout, attempts } = options
  let found = ''
  for (let n = 0; n < attempts; n++) {
    if (n > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(longestPause, firstPause * 2 ** (n - 1))))
    for (const url of urls) {
      try {
        const signal = AbortSignal.timeout(timeout)
        const response = await fetch(url + path, { method, headers, signal, ...(body === undefined ? {} : { body }) })
        const text = await response.text()
        if (!passing(response.status)) return { status: response.status, body: text }
        found = `it answers ${response.status} ${text.slice(0, 200)}`
      } catch (error) {
        found = reasonOf(error)
      }
    }
  }
  throw unreachable(options, found)
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { readonly code?: string; readonly message?: string } }
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error))
}

function unreachable({ urls, attempts }: HttpOptions, found: string): DhaaraError {
  const message = `the schema registry at ${urls.join(', ')} could not be asked, ${attempts} times in a row; at last: ${found}. Start it, or correct schemaRegistry({ url })`
  return new DhaaraError('DHAARA_REGISTRY', message)
}

/**
 * The same for who cannot wait: encoding and decoding are no promises. Another thread asks, and this one stands still
 * until it has. What a batch needs is asked for before, so that this is left to the first record of a kind.
 */
export function runNow<T>(call: Call<T>, options: HttpOptions): T {
  let next = call.next()
  while (!next.done) next = call.next(askNow(next.value, options))
  return next.value
}

let asker: { readonly port: MessagePort; readonly answered: Int32Array } | undefined

function askNow(request: Request, options: HttpOptions): Response {
  const { port, answered } = (asker ??= startAsker())
  Atomics.store(answered, 0, 0)
  port.postMessage({ request, options } satisfies Asked)
  Atomics.wait(answered, 0, 0)
  const answer = receiveMessageOnPort(port)?.message as Answered
  if ('response' in answer) return answer.response
  throw new DhaaraError('DHAARA_REGISTRY', answer.message)
}

function startAsker(): NonNullable<typeof asker> {
  const { port1, port2 } = new MessageChannel()
  const answered = new Int32Array(new SharedArrayBuffer(4))
  const workerData = { port: port2, answered }
  new Worker(script, { workerData, transferList: [port2], name: 'dhaara-registry' }).unref()
  port1.unref()
  return { port: port1, answered }
}
