/** One timed run of a query in a process of its own: `child.ts <query> <folder with the log>`; answers on the IPC channel. */
import type { Measured } from '../../harness/run.ts'
import { runJob, standingRows } from './job.ts'
import { queries } from './queries/index.ts'
import { outcomeOf } from './workload.ts'

const [name, dir, records] = process.argv.slice(2) as [string, string, string]
const query = queries[name]!

const started = performance.now()
const before = process.cpuUsage()
await runJob(dir, query, { checkpointInterval: '1s' })
const { user, system } = process.cpuUsage(before)
const seconds = (performance.now() - started) / 1000

const peakRssMb = process.resourceUsage().maxRSS / 1024
const measured: Measured = {
  ...outcomeOf(await standingRows(dir, query)),
  records: Number(records),
  seconds,
  cpuSeconds: (user + system) / 1e6,
  peakRssMb,
}
process.send!(measured, () => process.exit())
