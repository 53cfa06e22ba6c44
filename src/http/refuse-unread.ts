import type { Socket } from 'node:net'
import { HttpProblem, problemOf, problemType } from './problem.ts'

/** By the code of Node's error. */
const problems: Readonly<Record<string, readonly [status: number, line: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'Path and headers are larger than 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not come to its end in time'],
}
const malformed = [400, 'Bad Request', 'This is no HTTP request'] as const

/** Answers what could not be read as a request, and closes. */
export function refuseUnread(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, line, detail] = problems[error.code ?? ''] ?? malformed
  const body = JSON.stringify(problemOf(new HttpProblem(status, detail)))
  const head = `HTTP/1.1 ${status} ${line}\r\ncontent-type: ${problemType}\r\ncontent-length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`)
}
