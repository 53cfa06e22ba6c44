/** `npm run docs:metrics`: the table of docs/metrics.md, made of the metrics themselves. */
import { readFileSync, writeFileSync } from 'node:fs'
import { AppMetrics } from '../src/http/metrics.ts'
import type { Served } from '../src/http/served.ts'

const page = 'docs/metrics.md'
const begin = '<!-- metrics -->'
const end = '<!-- /metrics -->'

/** Rows of the table. */
export function metricsTable(): string {
  const metrics = new AppMetrics({ applicationId: 'docs' } as Served)
  const rows = metrics
    .describe()
    .map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`)
  return ['| metric | type | labels | what |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

/** The page with the table as it should be. */
export function metricsPage(text = readFileSync(page, 'utf8')): string {
  const [head, rest = ''] = text.split(begin)
  return `${head}${begin}\n\n${metricsTable()}\n\n${end}${rest.split(end)[1] ?? ''}`
}

if (import.meta.main) writeFileSync(page, metricsPage())
