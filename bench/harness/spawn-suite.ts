import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

/** What `bench <args>` prints, from a process of its own; its progress goes to our standard error. */
export function outputOf(args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, '../main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { promise, resolve: done, reject } = Promise.withResolvers<{ code: number; text: string }>()
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  child.on('error', reject)
  child.on('close', (code) => done({ code: code ?? 1, text }))
  return promise
}
