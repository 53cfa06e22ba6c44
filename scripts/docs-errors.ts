/** `npm run docs:errors`: writes docs/errors.md from the catalogue, and names the codes that nothing throws yet. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { type CatalogueEntry, catalogue } from '../src/errors/catalogue.ts'

export const errorsPage = 'docs/errors.md'
const cataloguePath = 'src/errors/catalogue.ts'

const domains: Record<CatalogueEntry['domain'], string> = {
  user: 'your code or configuration: change it',
  data: 'a record: it meets the handler of its source or sink (fail, skip, dead letter)',
  external: 'something outside of the process: a disk, a broker, a platform',
  internal: 'dhaara itself: please report it',
}

/** The page as it must be. */
export function renderErrorsPage(): string {
  const rows = Object.entries<CatalogueEntry>(catalogue).map(
    ([code, { domain, retryable, summary }]) =>
      `| \`${code}\` | ${domain} | ${retryable ? 'yes' : 'no'} | ${summary} |`,
  )
  return [
    '# Errors',
    '',
    '<!-- Written by `npm run docs:errors` from src/errors/catalogue.ts: change that file, not this page. -->',
    '',
    'Every error that dhaara throws is a `DhaaraError`. Its `code` is stable: codes are never renamed or reused. Its',
    '`domain` says where to look, `retryable` whether trying again may help, `step` which step of the topology it crossed,',
    'and `cause` keeps what was caught. The message says what was found, what was expected and what to do.',
    '',
    '| domain | it lies in |',
    '| --- | --- |',
    ...Object.entries(domains).map(([domain, text]) => `| ${domain} | ${text} |`),
    '',
    '| code | domain | retry | what it says |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

/** Codes that the sources name in quotes, with the first file that does; the catalogue itself left out. */
export function codesInSource(): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of globSync('src/**/*.ts').toSorted()) {
    if (path.replaceAll('\\', '/') === cataloguePath) continue
    for (const [, code] of readFileSync(path, 'utf8').matchAll(/'(DHAARA_[A-Z0-9_]+)'/g)) {
      if (!found.has(code!)) found.set(code!, path)
    }
  }
  return found
}

if (import.meta.main) {
  writeFileSync(errorsPage, renderErrorsPage())
  const used = codesInSource()
  const unused = Object.keys(catalogue).filter((code) => !used.has(code))
  if (unused.length > 0) console.error(`nothing throws these yet: ${unused.join(', ')}`)
}
