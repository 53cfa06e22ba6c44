/**
 * `npm run test:steady`: memory under steady load.
 *
 *     npm run test:steady -- --seconds 120     so long; 30 unless told otherwise
 *
 * All else is handed to mocha.
 */
import { spawnSync } from 'node:child_process'

const rest = process.argv.slice(2)
const at = rest.findIndex((argument) => argument === '--seconds')
const [, seconds = '30'] = at < 0 ? [] : rest.splice(at, 2)
const args = ['node_modules/mocha/bin/mocha.js', 'test/steady/memory.steady.ts', ...rest]
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, SECONDS: seconds } })
process.exitCode = status ?? 1
