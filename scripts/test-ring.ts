/**
 * `npm run test:programs`, `test:workers` …: the tests of a ring of `test/rings.ts` that needs nothing but time. What follows its
 * name goes to mocha.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { rings } from '../test/rings.ts'

const [name = '', ...rest] = process.argv.slice(2)
const patterns = Object.entries(rings).find(([ring]) => ring === name)?.[1]
if (patterns === undefined) {
  console.error(`There is no ring '${name}'; the rings are ${Object.keys(rings).join(', ')}`)
  process.exit(2)
}
const files = patterns.flatMap((pattern) => {
  const found = globSync(pattern)
  if (found.length === 0) throw new Error(`test/rings.ts, ${name}: no file is meant by '${pattern}'`)
  return found
})
const args = ['node_modules/mocha/bin/mocha.js', '--parallel', ...files, ...rest]
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
