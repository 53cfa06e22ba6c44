/**
 * `npm run test:kafka`: the tests that need a real cluster. Starts one, unless one runs, and ends what it has started.
 * Test files that are named (`npm run test:kafka -- test/…/moving.test.ts`) are run alone.
 * `npm run test:chaos`: instances and brokers that are killed, stopped, cut off; DHAARA_CHAOS=300 for so many faults.
 * Where there is no Java or Maven: fails in CI; elsewhere one skipped test says what is missing.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { bootstrapOf, faultyKind, runningCluster, startCluster, stopCluster } from './cluster.ts'
import type { ClusterSpec } from './spec.ts'
import { rings } from '../../test/rings.ts'
import { missingTools } from './jars.ts'

/** Most of a test's time is waiting: for the group, for sessions to end, for processes to start. */
const filesAtOnce = 3
/** Begun first, so that none of them is alone at the end. */
const longest = ['golden', 'workers', 'linearity', 'jobs', 'own', 'moving', 'app']
const rank = (file: string): number => {
  const at = longest.indexOf(basename(file, '.test.ts'))
  return at < 0 ? longest.length : at
}

const chaos = process.argv[2] === 'chaos'
const args = process.argv.slice(chaos ? 3 : 2)
/** Files that are named are run, and no others. */
const named = args.filter((arg) => arg.endsWith('.test.ts'))
const filesOf = (patterns: readonly string[]): string[] =>
  named.length > 0 ? named : patterns.flatMap((pattern) => globSync(pattern))

const mocha = (files: readonly string[], env: Record<string, string> = {}): number => {
  const others = args.filter((arg) => !named.includes(arg))
  const all = ['node_modules/mocha/bin/mocha.js', '--timeout', '60000', ...files, ...others]
  return spawnSync(process.execPath, all, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1
}

const missing = missingTools()
if (missing !== undefined && process.env['CI'] !== undefined) {
  console.error(`The tests with Kafka need a broker: ${missing}`)
  process.exitCode = 1
} else if (missing !== undefined) {
  process.exitCode = mocha(['test/connectors/kafka/missing.ts'], { DHAARA_KAFKA_MISSING: missing })
} else if (chaos) {
  // it has three brokers of its own
  process.exitCode = mocha(filesOf(rings.chaos))
} else {
  const kinds = [{ nodes: 1 }, faultyKind] as const
  const running = kinds.filter((kind) => runningCluster(kind) !== undefined)
  const files = filesOf(rings.kafka).toSorted((a, b) => rank(a) - rank(b))
  try {
    const [cluster] = await Promise.all(kinds.map((kind) => startCluster(kind)))
    process.exitCode = mocha(['--parallel', '--jobs', String(filesAtOnce), ...files], {
      DHAARA_KAFKA: bootstrapOf(cluster as ClusterSpec).join(','),
    })
  } finally {
    for (const kind of kinds) if (!running.includes(kind)) await stopCluster(kind)
  }
}
