import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { Option } from 'commander'
import { compile } from '../../engine/plan/compile.ts'
import { diffTopologies, isTopologyJson, type TopologyJson } from '../../dsl/topology/diff.ts'
import type { Topology } from '../../dsl/topology/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { setting } from '../arguments.ts'
import { exitCode } from '../exit.ts'
import { loadModule } from '../load-module.ts'
import { print } from '../output/print.ts'

const formats = {
  text: (topology: Topology) => topology.describe(),
  mermaid: (topology: Topology) => topology.toMermaid(),
  dot: (topology: Topology) => topology.toDot(),
  json: (topology: Topology) => JSON.stringify(topology.toJSON(), undefined, 2),
} as const

interface DescribeFlags {
  readonly format: keyof typeof formats
  readonly json?: true
  readonly diff?: string
  readonly set?: Readonly<Record<string, string>>
}

const help = `
Examples:
  $ dhaara describe topology.ts
  $ dhaara describe topology.ts --format dot | dot -Tsvg > topology.svg
  $ dhaara describe topology.ts --json > deployed.json
  $ dhaara describe topology.ts --diff deployed.json   # exit code 2: the state would be refused
  $ dhaara describe topology.ts --format mermaid --set region=south`

export function addDescribe(program: Command, done: (code: number) => void): void {
  program
    .command('describe')
    .summary('show the steps of a topology')
    .description('Show the steps of a topology and how they hang together. It is checked as for a run; nothing is run.')
    .argument('<module>', 'file, or folder with a topology.ts')
    .addOption(new Option('--format <format>', 'how').choices(Object.keys(formats)).default('text'))
    .option('--json', 'the same as --format json')
    .option('--diff <old.json>', 'show what a deploy would change against a topology saved with --json')
    .option('--set <name=value>', 'a setting for the module: env.settings (repeatable)', setting)
    .addHelpText('after', help)
    .action(async (path: string, { format, json, diff, set = {} }: DescribeFlags) => {
      const { topology, plan } = await loadModule(path, set)
      compile(plan)
      if (diff !== undefined) {
        const { lines, refused } = diffTopologies(await saved(diff), topology.toJSON() as TopologyJson)
        await print(`${lines.join('\n')}\n`)
        if (refused) done(exitCode.refused)
        return
      }
      await print(`${formats[json ? 'json' : format](topology).trimEnd()}\n`)
    })
}

async function saved(file: string): Promise<TopologyJson> {
  let data: unknown
  try {
    data = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    const message = `--diff: found no JSON in ${file} (${(cause as Error).message}); expected a topology saved with describe --json`
    throw new DhaaraError('DHAARA_OPTION', message, { cause })
  }
  if (isTopologyJson(data)) return data
  throw new DhaaraError(
    'DHAARA_OPTION',
    `--diff: found something else in ${file}; expected a topology saved with describe --json`,
  )
}
