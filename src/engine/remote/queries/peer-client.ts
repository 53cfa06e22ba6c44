import { Agent, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { HttpOptions } from '../../../http/index.ts'
import { catalogue, DhaaraError, type KnownCode } from '../../../errors/index.ts'
import { type AnswerFrame, frameKind, framesIn } from '../../query/index.ts'

/** Where an instance answers the questions of others. */
const peerPath = '/api/peers/rows'

/** An instance that says nothing for so long is asked no more, ms. */
const patience = 5000
const mostProblemBytes = 1 << 16

/** Asks other instances over HTTP, each with the app's token, and over TLS where they are served by it. */
export class PeerClient {
  private readonly token: string | undefined
  private readonly agent = new Agent({ keepAlive: true, maxFreeSockets: 16 })
  private readonly tlsAgent: TlsAgent

  constructor({ token, tls }: HttpOptions) {
    this.token = token
    // instances have one certificate, or one authority
    const ca = tls === undefined ? undefined : tls.ca === undefined ? [...rootCertificates, tls.cert] : [tls.ca]
    this.tlsAgent = new TlsAgent({ keepAlive: true, maxFreeSockets: 16, ...(ca === undefined ? {} : { ca }) })
  }

  /**
   * The frames of an answer, as they come, no faster than they are taken.
   *
   * @throws DhaaraError what the other instance says; DHAARA_MOVED where it does not answer, or not to the end
   */
  async *ask(at: string, question: object, signal?: AbortSignal): AsyncGenerator<AnswerFrame, void> {
    const response = await this.send(at, JSON.stringify(question), signal)
    try {
      const frames = framesIn(response)
      for (;;) {
        const { done, value: frame } = await inTime(at, frames.next())
        if (done) throw unanswered(at, 'the answer has no end')
        if (frame.kind === frameKind.end) {
          // to the end of the response, after which the connection serves others
          await inTime(at, frames.next())
          return
        }
        if (frame.kind === frameKind.error) throw problemIn(at, 503, frame.body.toString())
        yield frame
      }
    } catch (error) {
      throw error instanceof DhaaraError || signal?.aborted ? error : unanswered(at, error)
    } finally {
      response.destroy()
    }
  }

  close(): void {
    this.agent.destroy()
    this.tlsAgent.destroy()
  }

  private send(at: string, body: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const url = new URL(peerPath, at)
    const secure = url.protocol === 'https:'
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
    }
    const options = { method: 'POST', headers, timeout: patience, ...(signal === undefined ? {} : { signal }) }
    return new Promise((resolve, reject) => {
      const asked = secure
        ? tlsRequest(url, { ...options, agent: this.tlsAgent })
        : request(url, { ...options, agent: this.agent })
      asked.once('timeout', () => asked.destroy(unanswered(at, `nothing came for ${patience} ms`)))
      asked.once('error', (error) =>
        reject(error instanceof DhaaraError || signal?.aborted ? error : unanswered(at, error)),
      )
      asked.once('response', (response) => {
        asked.setTimeout(0)
        if (response.statusCode === 200) resolve(response)
        else
          textOf(response).then(
            (text) => reject(problemIn(at, response.statusCode ?? 0, text)),
            (error) => reject(unanswered(at, error)),
          )
      })
      asked.end(body)
    })
  }
}

async function inTime<T>(at: string, next: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unanswered(at, `nothing came for ${patience} ms`)), patience)
  })
  next.catch(() => {})
  try {
    return await Promise.race([next, late])
  } finally {
    clearTimeout(timer)
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (text.length > mostProblemBytes) break
  }
  return text
}

function problemIn(at: string, status: number, text: string): DhaaraError {
  let told: { readonly code?: string; readonly detail?: string } = {}
  try {
    told = JSON.parse(text) as typeof told
  } catch {
    // not of an instance: something stands between
  }
  const { code = '', detail = `status ${status}` } = told
  // it starts, or ends
  if (code === 'DHAARA_APP_STATE') return unanswered(at, detail)
  if (code in catalogue) return new DhaaraError(code as KnownCode, `${detail} (says the instance at ${at})`)
  if (status === 401 || status === 403)
    return new DhaaraError(
      'DHAARA_UNSUPPORTED',
      `the instance at ${at} refused to be asked: ${detail}; give all instances the same http: {token}`,
    )
  return unanswered(at, detail)
}

const unanswered = (at: string, why: unknown): DhaaraError =>
  new DhaaraError(
    'DHAARA_MOVED',
    `the instance at ${at}, which has the rows, did not answer: ${why instanceof Error ? why.message : String(why)}; ask again`,
    why instanceof Error ? { cause: why } : {},
  )
