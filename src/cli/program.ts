import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addConnectors } from './commands/connectors.ts'
import { addConsume } from './commands/consume.ts'
import { addDescribe } from './commands/describe.ts'
import { addDlq } from './commands/dlq.ts'
import { addLag } from './commands/lag.ts'
import { addProduce } from './commands/produce.ts'
import { addQuery } from './commands/query.ts'
import { addReset } from './commands/reset.ts'
import { addSavepoint } from './commands/savepoint.ts'
import { addRun } from './commands/run.ts'
import { addTop } from './commands/top.ts'
import { addTopics } from './commands/topics.ts'
import { codeOf, exitCode } from './exit.ts'
import { errorText, reportOf } from './report-error.ts'

const help = `
Examples:
  $ dhaara run topology.ts --input orders=orders.jsonl --output trends=- --until-end
  $ dhaara describe topology.ts
  $ dhaara query trends books --dir ./data
  $ dhaara <command> --help`

/**
 * The `dhaara` command.
 *
 * @param args without the names of node and of the script
 * @returns the exit code
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  let code: number = exitCode.done
  const program = new Command('dhaara')
    .description('Stream processing for Node.js: runs topologies, shows their topics and state.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('(--help tells more)')
    .exitOverride()
    .addHelpText('after', help)
  addRun(program, (result) => {
    code = result
  })
  addDescribe(program, (result) => {
    code = result
  })
  addTopics(program)
  addProduce(program)
  addConsume(program)
  addQuery(program)
  addDlq(program)
  addTop(program)
  addReset(program)
  addSavepoint(program)
  addLag(program)
  addConnectors(program)
  for (const command of program.commands)
    command.exitOverride().showHelpAfterError(`(dhaara ${command.name()} --help tells more)`)
  if (args.length === 0) {
    program.outputHelp({ error: true })
    return exitCode.refused
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return codeOf(error)
    const json = args.includes('--json')
    process.stderr.write(`${json ? JSON.stringify({ event: 'error', ...reportOf(error) }) : errorText(error)}\n`)
    return codeOf(error)
  }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}
