import { readFileSync } from 'node:fs'

/** What `--json` printed into a file. @throws Error if a line is no JSON */
export function readLines<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, i) => {
      if (line.trim() === '') return []
      try {
        return [JSON.parse(line) as T]
      } catch {
        throw new Error(`${path}, line ${i + 1} is no JSON; give what --json printed`)
      }
    })
}
