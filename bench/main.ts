/**
 * `npm run bench` measures everything, short. `npm run bench -- <suite> [case …] [--json] [--seconds n] [--runs n] …` measures one
 * suite; `compare` and `gate` read what `--json` printed.
 *
 * Standard output has the result and nothing else; progress goes to standard error. The exit code is 1 if a subject's
 * rows were wrong, 2 if the command line was.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { main as all } from './all.ts'
import { main as compare } from './compare.ts'
import { main as gate } from './gate.ts'
import { main as profile } from './profile.ts'
import { main as record } from './record.ts'
import { usageText } from './harness/options.ts'
import { runSuite } from './harness/run-suite.ts'
import type { Suite, SuiteMain } from './harness/suite.ts'

const suitesDir = join(import.meta.dirname, 'suites')
const tools: Readonly<Record<string, (args: readonly string[]) => number | Promise<number>>> = {
  compare,
  gate,
  profile,
  record,
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name.startsWith('-')) return all(args)
  const tool = tools[name]
  if (tool !== undefined) return tool(rest)
  const file = join(suitesDir, name, 'index.ts')
  if (!existsSync(file)) {
    const choices = [...readdirSync(suitesDir), ...Object.keys(tools)].join(', ')
    throw new RangeError(`There is no suite '${name}'; there are: ${choices}`)
  }
  const module = (await import(pathToFileURL(file).href)) as { suite?: Suite; main?: SuiteMain }
  return module.suite === undefined ? module.main!(rest) : runSuite(module.suite, rest)
}

// Who reads no more, as `head` does, wants no complaint.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2))

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  if (error instanceof RangeError || error instanceof TypeError) console.error(usageText)
  return 2
})
