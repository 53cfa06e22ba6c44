#!/usr/bin/env node
import { existsSync } from 'node:fs'
import * as modules from 'node:module'
import { runsOn } from './node-version.ts'

if (!runsOn(process.versions.node)) {
  console.error(`dhaara needs Node.js 22.22, 24.6 or newer; this is ${process.versions.node}`)
  process.exit(2)
}

// Halves the time of a start, the first one excepted.
modules.enableCompileCache()

// In a checkout the sources are run, since that is what its examples import: a topology is known to one copy of dhaara only.
const sources = new URL('../../src/cli/program.ts', import.meta.url)
const { runCommand } = (existsSync(sources) ? await import(sources.href) : await import('./program.ts')) as {
  runCommand(args: readonly string[]): Promise<number>
}

// Who has closed standard error does not want to be told: what was begun goes on.
process.stderr.on('error', () => {})
process.exitCode = await runCommand(process.argv.slice(2))
// What is still open (a socket, standard input) keeps nobody waiting.
process.exit()
