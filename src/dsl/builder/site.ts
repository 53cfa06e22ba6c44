import { fileURLToPath } from 'node:url'

/** The folder of the DSL itself: frames inside it are not the user's. */
const own = fileURLToPath(new URL('../', import.meta.url))
const frame = /\(?((?:file:\/\/)?[^()\s]*):(\d+):\d+\)?$/

/**
 * Where the user's code made this call: 'file:line', the file as the runtime names it. Undefined if the stack does not tell.
 */
export function callSite(): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 12
  const { stack = '' } = new Error('site')
  Error.stackTraceLimit = limit
  for (const line of stack.split('\n').slice(1)) {
    const match = frame.exec(line)
    if (match === null) continue
    const [, location = '', number] = match
    const file = location.startsWith('file://') ? fileURLToPath(location) : location
    if (!file.startsWith(own)) return `${file}:${number}`
  }
  return undefined
}
