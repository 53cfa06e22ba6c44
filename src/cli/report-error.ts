import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DhaaraError, TopologyError } from '../errors/index.ts'

/** What is told of an error: as text, or as it is in JSON. */
export interface ErrorReport {
  readonly code: string
  readonly domain: string
  readonly message: string
  readonly step?: string
  /** The user's line that it came from: 'file:line:column', with the function's name before it if it has one. */
  readonly at?: string
  readonly problems?: TopologyError['problems']
}

const own = fileURLToPath(new URL('..', import.meta.url))

/** The first frame of a stack that lies in the user's files: not in Node, in packages, in this one or in generated code. */
function userFrame(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  for (const line of (error.stack ?? '').split('\n')) {
    const [, at] = /^\s+at (.+)$/.exec(line) ?? []
    if (
      at === undefined ||
      /node:|node_modules|Promise\.\w+ \(index|\(<anonymous>\)|<anonymous>:\d|\beval at\b/.test(at)
    )
      continue
    const place = at.replace(/file:\/\/[^\s)]+?(?=:\d+)/, (url) => fileURLToPath(url))
    if (place.includes(own)) continue
    return place.replace(/^async /, '').replace(`${process.cwd()}/`, '')
  }
  // a module that does not parse has its place in the first line
  const [, file, number] = /^(\/.+?|file:.+?):(\d+)\n/.exec(error.stack ?? '') ?? []
  if (file === undefined || file.includes('node_modules') || file.includes(own)) return undefined
  return `${relative(process.cwd(), file.startsWith('file:') ? fileURLToPath(file) : file)}:${number}`
}

/** Looks for what the user needs: code, message, step, and the line in the user's code. */
export function reportOf(error: unknown): ErrorReport {
  const known = error instanceof DhaaraError
  const message = error instanceof Error ? error.message : String(error)
  let at: string | undefined
  for (let cause = error; cause instanceof Error; cause = cause.cause) at = userFrame(cause) ?? at
  return {
    code: known ? error.code : 'DHAARA_INTERNAL',
    domain: known ? error.domain : 'internal',
    message,
    ...(known && error.step !== undefined ? { step: error.step } : {}),
    ...(at === undefined ? {} : { at }),
    ...(error instanceof TopologyError ? { problems: error.problems } : {}),
  }
}

/** Several lines: 'error CODE: message', then step and place. */
export function errorText(error: unknown): string {
  const { code, message, step, at } = reportOf(error)
  const lines = [`error ${code}: ${message}`]
  if (step !== undefined) lines.push(`  step: ${step}`)
  if (at !== undefined) lines.push(`  at:   ${at}`)
  // What is no error of dhaara's is a defect of it: all of the stack helps.
  if (!(error instanceof DhaaraError) && error instanceof Error) lines.push(error.stack ?? '')
  return lines.join('\n')
}
