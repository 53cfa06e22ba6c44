import type { FastifyError } from 'fastify'
import { STATUS_CODES } from 'node:http'
import { catalogue, DhaaraError, type KnownCode } from '../errors/index.ts'

/** RFC 9457. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** Of the catalogue, for what dhaara refuses. */
  readonly code?: string
}

export const problemType = 'application/problem+json'

/** What of the HTTP itself is wrong. */
export class HttpProblem extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

/** Of errors that are the asker's; others are the server's (500). */
const statuses: Partial<Record<KnownCode, number>> = {
  DHAARA_QUERY: 400,
  DHAARA_OPTION: 400,
  DHAARA_STORE_UNKNOWN: 404,
  DHAARA_TOPIC_UNKNOWN: 404,
  DHAARA_SAVEPOINT: 409,
  DHAARA_APP_STATE: 503,
  DHAARA_RESTORING: 503,
  DHAARA_MOVED: 503,
  DHAARA_WORKER_DIED: 503,
  DHAARA_UNSUPPORTED: 400,
  // of rows: a package that a type needs
  DHAARA_MODULE: 406,
}

/** The problem that an error is. Of defects it tells nothing but that there is one: their place is the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof DhaaraError) {
    const code = error.code as KnownCode
    const status = statuses[code] ?? 500
    const { summary } = catalogue[code]
    return { type: `urn:dhaara:error:${code}`, title: summary, status, detail: error.message, code }
  }
  if (error instanceof HttpProblem) return plain(error.status, error.message)
  const { statusCode = 500, message } = error as FastifyError
  if (statusCode >= 500) return plain(500, 'The request failed; the log of the app says why')
  return plain(statusCode, message)
}

const plain = (status: number, detail: string): Problem => ({
  type: 'about:blank',
  title: STATUS_CODES[status] ?? 'Error',
  status,
  detail,
})
