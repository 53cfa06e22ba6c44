import type { Command } from 'commander'
import type { ConnectorInfo } from '../../connectors/options/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { print } from '../output/print.ts'

const help = `
Examples:
  $ dhaara connectors
  $ dhaara connectors csvSource
  $ dhaara connectors --json`

export function addConnectors(program: Command): void {
  program
    .command('connectors')
    .summary('list sources and sinks that come with dhaara, and their options')
    .description("List the sources and sinks of 'dhaara/connectors' and 'dhaara/rx', or the options of one.")
    .argument('[name]', 'one of them')
    .option('--json', 'as JSON')
    .addHelpText('after', help)
    .action((name: string | undefined, { json }: { readonly json?: true }) => show(name, json === true))
}

async function show(name: string | undefined, json: boolean): Promise<void> {
  const { connectors } = await import('../../connectors/catalogue.ts')
  const chosen = name === undefined ? connectors : connectors.filter((one) => one.name === name)
  if (chosen.length === 0) {
    const known = connectors.map((one) => one.name).join(', ')
    throw new DhaaraError('DHAARA_OPTION', `there is no connector '${name}'; there are ${known}`)
  }
  if (json)
    await print(
      `${JSON.stringify(
        chosen.map((one) => ({ ...one, options: one.options.rows })),
        undefined,
        2,
      )}\n`,
    )
  else if (name === undefined) await print(chosen.map((one) => `${one.name.padEnd(18)}${one.about}\n`).join(''))
  else await print(text(chosen[0] as ConnectorInfo))
}

/** What a person reads of one connector. */
function text({ name, about, guarantee, peer, options }: ConnectorInfo): string {
  const rows = options.rows.flatMap((row) => {
    const need = row.need === 'required' ? ', required' : row.shown === undefined ? '' : `, default ${row.shown}`
    return [`  ${row.name}: ${row.type}${need}`, `      ${row.about}`]
  })
  const needs = peer === undefined ? [] : [`Needs: npm install ${peer}`]
  return [name, '', about, guarantee, ...needs, '', rows.length === 0 ? 'No options.' : 'Options:', ...rows, ''].join(
    '\n',
  )
}
