/**
 * `npm run test:kafka`: the tests that need a real cluster. Starts one, unless one runs, and ends what it has started.
 * `npm run test:chaos`: instances and brokers that are killed, stopped, cut off; DHAARA_CHAOS=300 for so many faults.
 * Where there is no Java or Maven: fails in CI; elsewhere one skipped test says what is missing.
 */
import { spawnSync } from 'node:child_process'
import { bootstrapOf, faultyKind, runningCluster, startCluster, stopCluster } from './cluster.ts'
import { rings } from '../../test/rings.ts'
import { missingTools } from './jars.ts'

const mocha = (files: readonly string[], env: Record<string, string>): number => {
  const args = [
    'node_modules/mocha/bin/mocha.js',
    '--timeout',
    '60000',
    ...files,
    ...process.argv.slice(process.argv[2] === 'chaos' ? 3 : 2),
  ]
  return spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1
}

const missing = missingTools()
if (missing !== undefined && process.env['CI'] !== undefined) {
  console.error(`The tests with Kafka need a broker: ${missing}`)
  process.exitCode = 1
} else if (missing !== undefined) {
  process.exitCode = mocha(['test/connectors/kafka/missing.ts'], { DHAARA_KAFKA_MISSING: missing })
} else if (process.argv[2] === 'chaos') {
  // it has three brokers of its own
  process.exitCode = mocha(rings.chaos, {})
} else {
  const kinds = [{ nodes: 1 }, faultyKind] as const
  const running = kinds.filter((kind) => runningCluster(kind) !== undefined)
  const cluster = await startCluster(1)
  try {
    process.exitCode = mocha(rings.kafka, {
      DHAARA_KAFKA: bootstrapOf(cluster).join(','),
    })
  } finally {
    for (const kind of kinds) if (!running.includes(kind)) await stopCluster(kind)
  }
}
