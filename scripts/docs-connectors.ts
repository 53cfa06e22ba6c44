/** `npm run docs:connectors`: writes the options in docs/connectors.md from what the connectors declare. */
import { readFileSync, writeFileSync } from 'node:fs'
import { connectors } from '../src/connectors/catalogue.ts'
import type { ConnectorInfo } from '../src/connectors/options/index.ts'

export const connectorsPage = 'docs/connectors.md'
const mark = '<!-- What follows is written by `npm run docs:connectors` from src/connectors: change that, not this. -->'

/** The page as it must be: what people have written, then the options. */
export function renderConnectorsPage(page: string): string {
  const written = page.slice(0, page.indexOf(mark))
  return `${written}${mark}\n\n${connectors.map(section).join('\n')}`
}

function section({ name, about, guarantee, peer, options }: ConnectorInfo): string {
  const rows = options.rows.map(
    ({ name: option, type, need, shown, about: what }) =>
      `| \`${option}\` | ${cell(type)} | ${need === 'required' ? 'required' : shown === undefined ? '' : `\`${shown}\``} | ${cell(what)} |`,
  )
  const table =
    rows.length === 0
      ? ['It has no options.']
      : ['| option | type | default | what it says |', '| --- | --- | --- | --- |', ...rows]
  const needs = peer === undefined ? [] : [`Needs the package \`${peer}\` beside dhaara.`]
  return [`### ${name}`, '', about, guarantee, ...needs, '', ...table, ''].join('\n')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

if (import.meta.main) writeFileSync(connectorsPage, renderConnectorsPage(readFileSync(connectorsPage, 'utf8')))
