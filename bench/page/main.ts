/** `npm run docs:performance [-- results.json]` */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readLines } from '../harness/read-lines.ts'
import { resultsFile } from '../record.ts'
import { resultsOf } from './lines.ts'
import { pageOf } from './page.ts'

const docs = resolve(import.meta.dirname, '../../docs')
for (const [name, content] of pageOf(resultsOf(readLines(process.argv[2] ?? resultsFile)))) {
  const path = join(docs, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
