import type { Logger } from '../settings/logger.ts'
import type { Report } from './worker-protocol.ts'

/** A worker's logger: what it is told, the app's logger says. */
export function forwarder(post: (report: Report) => void): Logger {
  const level =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message?: string): void =>
      post({ type: 'log', level: name, fields: plain(fields), message })
  return { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
}

/** What cannot be cloned is told as text. */
function plain(fields: object): unknown {
  try {
    return structuredClone(fields)
  } catch {
    return { text: String(fields) }
  }
}
