import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { HttpProblem } from './problem.ts'
import type { HttpOptions } from './served.ts'

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export const isLoopback = (host: string): boolean => loopback.has(host)

/**
 * Refuses requests without the token. Without one, a server that only this machine reaches takes requests that name this
 * machine: a page of elsewhere whose name has been pointed here does not.
 *
 * @throws HttpProblem 401, 403
 */
export function guard({ token, host = '127.0.0.1' }: HttpOptions): (request: FastifyRequest) => void {
  if (token !== undefined) {
    const wanted = digest(token)
    return ({ headers }) => {
      const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
      // equally long, whatever was given: the time tells nothing
      if (given !== undefined && timingSafeEqual(digest(given), wanted)) return
      const found = given === undefined ? 'no token' : 'another token'
      throw new HttpProblem(
        401,
        `Found ${found}; expected the header Authorization: Bearer <token> of the app's options`,
      )
    }
  }
  if (!isLoopback(host)) return () => {}
  // who has asked asks again by the same name
  let known: string | undefined
  return ({ headers }) => {
    if (known !== undefined && headers.host === known) return
    const name = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
    if (isLoopback(name.toLowerCase())) {
      known = headers.host
      return
    }
    throw new HttpProblem(
      403,
      `Found the host '${name}'; this server answers to localhost alone, unless it has a token`,
    )
  }
}
