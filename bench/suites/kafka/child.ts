/** The process of one run. Arguments: a subject, its job as JSON; the figures go over the channel to the parent. */
import type { KafkaJob, RunJob } from './job.ts'

const [subject, job] = process.argv.slice(2) as [string, string]
const module = (await import(`./subjects/${subject}.ts`)) as { readonly run: RunJob }
const figures = await module.run(JSON.parse(job) as KafkaJob)
process.send?.(figures, undefined, undefined, () => process.exit(0))
