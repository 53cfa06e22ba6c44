/**
 * `npm run test:console`: the console in a real Chromium. Where there is none: fails in CI; elsewhere one skipped test says so.
 */
import { spawnSync } from 'node:child_process'
import { rings } from '../../test/rings.ts'
import { findChromium } from './chromium.ts'

const chromium = findChromium()
if (chromium === undefined && process.env['CI'] !== undefined) {
  console.error('The tests of the console need Chromium: apt-get install chromium, or CHROMIUM=path')
  process.exitCode = 1
} else {
  const files = chromium === undefined ? ['test/console/missing.ts'] : rings.console
  const args = ['node_modules/mocha/bin/mocha.js', '--timeout', '180000', ...files, ...process.argv.slice(2)]
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
}
