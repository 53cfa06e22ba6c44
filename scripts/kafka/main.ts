/**
 * A real Apache Kafka on this machine, from Maven's jars:
 *
 *     npm run kafka:start [-- --nodes 3]    starts it, or finds it running; prints its address
 *     npm run kafka:stop [-- --nodes 3]     ends it and removes its logs
 */
import { parseArgs } from 'node:util'
import { bootstrapOf, startCluster, stopCluster } from './cluster.ts'
import { missingTools } from './jars.ts'

const { values, positionals } = parseArgs({
  options: { nodes: { type: 'string', default: '1' } },
  allowPositionals: true,
})
const size = values.nodes === '3' ? 3 : 1
if (positionals[0] === 'start') {
  const missing = missingTools()
  if (missing !== undefined) {
    console.error(`Kafka cannot be started: ${missing}`)
    process.exit(1)
  }
  console.log(bootstrapOf(await startCluster(size)).join(','))
} else if (positionals[0] === 'stop') await stopCluster(size)
else {
  console.error('Say start or stop')
  process.exitCode = 2
}
