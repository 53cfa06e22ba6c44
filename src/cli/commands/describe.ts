import type { Command } from 'commander'
import { Option } from 'commander'
import { compile } from '../../engine/plan/compile.ts'
import type { Topology } from '../../dsl/topology/index.ts'
import { setting } from '../arguments.ts'
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
  readonly set?: Readonly<Record<string, string>>
}

const help = `
Examples:
  $ dhaara describe topology.ts
  $ dhaara describe topology.ts --format dot | dot -Tsvg > topology.svg
  $ dhaara describe topology.ts --format mermaid --set region=south`

export function addDescribe(program: Command): void {
  program
    .command('describe')
    .summary('show the steps of a topology')
    .description('Show the steps of a topology and how they hang together. It is checked as for a run; nothing is run.')
    .argument('<module>', 'file, or folder with a topology.ts')
    .addOption(new Option('--format <format>', 'how').choices(Object.keys(formats)).default('text'))
    .option('--json', 'the same as --format json')
    .option('--set <name=value>', 'a setting for the module: env.settings (repeatable)', setting)
    .addHelpText('after', help)
    .action(async (path: string, { format, json, set = {} }: DescribeFlags) => {
      const { topology, plan } = await loadModule(path, set)
      compile(plan)
      await print(`${formats[json ? 'json' : format](topology).trimEnd()}\n`)
    })
}
