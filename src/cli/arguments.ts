import { InvalidArgumentError } from 'commander'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DhaaraError } from '../errors/index.ts'

/** A topic and the file (or '-') that it is read from or written to. */
export interface TopicFile {
  readonly topic: string
  readonly file: string
}

/** 'topic=file', once or often. */
export function topicFile(text: string, before: readonly TopicFile[] = []): readonly TopicFile[] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) {
    throw new InvalidArgumentError(
      `Found '${text}'; expected topic=file.jsonl, or topic=- for standard input or output.`,
    )
  }
  return [...before, { topic: text.slice(0, at), file: text.slice(at + 1) }]
}

/** 'name=value', once or often. */
export function setting(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError(`Found '${text}'; expected name=value.`)
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

export const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

export function count(least: number): (text: string) => number {
  return (text) => {
    const n = Number(text)
    if (Number.isInteger(n) && n >= least) return n
    throw new InvalidArgumentError(`Found '${text}'; expected a whole number from ${least}.`)
  }
}

/** Opening a directory makes it: a mistyped one must not be. @throws DhaaraError DHAARA_OPTION */
export function existingDirectory(dir: string): string {
  const path = resolve(dir)
  if (existsSync(join(path, 'dhaara.json'))) return path
  throw new DhaaraError(
    'DHAARA_OPTION',
    `${path} is no directory of dhaara's (it has no dhaara.json); give the --dir that the app was run with`,
  )
}
