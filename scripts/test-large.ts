/**
 * `npm run test:large`: state that is larger than the cache and the heap.
 *
 *     npm run test:large -- --keys 20000000     as many keys; 2,000,000 unless told otherwise
 *
 * All else is handed to mocha.
 */
import { spawnSync } from 'node:child_process'

const rest = process.argv.slice(2)
const at = rest.findIndex((argument) => argument === '--keys')
const [, keys = '2000000'] = at < 0 ? [] : rest.splice(at, 2)
const args = ['node_modules/mocha/bin/mocha.js', 'test/large/keys.large.ts', ...rest]
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, KEYS: keys } })
process.exitCode = status ?? 1
