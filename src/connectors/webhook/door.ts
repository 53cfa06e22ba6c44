import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request that is not taken, and why. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

export interface DoorOptions {
  readonly path: string
  readonly token: string | undefined
  readonly maxBodyBytes: number
}

/** Method, path, token. @throws Refusal */
export function checkRequest(request: IncomingMessage, { path, token }: DoorOptions): void {
  const [found] = (request.url ?? '').split('?')
  if (found !== path) throw new Refusal(404, `found ${found}; records are taken at ${path}`)
  if (request.method !== 'POST') throw new Refusal(405, `found ${request.method}; expected POST`, { allow: 'POST' })
  if (token === undefined) return
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  // hashes have one length, whatever was given
  const hash = (text: string) => createHash('sha256').update(text).digest()
  if (!timingSafeEqual(hash(given), hash(token)))
    throw new Refusal(401, 'expected the bearer token', { 'www-authenticate': 'Bearer' })
}

/** @throws Refusal 413 */
export async function bodyOf(request: IncomingMessage, { maxBodyBytes }: DoorOptions): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > maxBodyBytes) throw new Refusal(413, `expected at most ${maxBodyBytes} bytes`, { connection: 'close' })
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

/** The values in a body, as JSON text: a line each of `application/x-ndjson`, an element each of an array, else the one. @throws Refusal 400 */
export function valuesIn(body: Buffer, type: string | undefined): string[] {
  const text = body.toString()
  if (type?.startsWith('application/x-ndjson')) {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    for (const [i, line] of lines.entries()) parsed(line, ` in line ${i + 1}`)
    return lines
  }
  const value = parsed(text, '')
  return Array.isArray(value) ? value.map((one) => JSON.stringify(one)) : [text]
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new Refusal(400, `no JSON${where}: ${(error as Error).message}`)
  }
}

/** As problem+json (RFC 9457), where it is a refusal. */
export function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  response.writeHead(status, { 'content-type': type, ...headers })
  response.end(`${JSON.stringify(body)}\n`)
}
