/**
 * `npm run test:crash`: processes and workers that are killed while they run a job.
 *
 *     npm run test:crash -- --kills 300     as many random kills; 40 unless told otherwise
 *
 * All else is handed to mocha.
 */
import { spawnSync } from 'node:child_process'

const rest = process.argv.slice(2)
const at = rest.findIndex((argument) => argument === '--kills')
const [, kills = '40'] = at < 0 ? [] : rest.splice(at, 2)
const files = rest.some((argument) => argument.endsWith('.ts')) ? [] : ['test/crash/**/*.crash.ts']
const { status } = spawnSync(process.execPath, ['node_modules/mocha/bin/mocha.js', ...files, ...rest], {
  stdio: 'inherit',
  // each process starts three threads: they strip the sources' types once
  env: { NODE_COMPILE_CACHE: '.cache/compiled', ...process.env, KILLS: kills },
})
process.exitCode = status ?? 1
