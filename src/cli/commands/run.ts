import type { Command } from 'commander'
import { Option } from 'commander'
import { DhaaraError } from '../../errors/index.ts'
import { count, setting, topicFile } from '../arguments.ts'
import { codeOf } from '../exit.ts'
import { runOnKafka } from '../kafka/job.ts'
import { logLevels } from '../logging.ts'
import { createProgress } from '../progress.ts'
import { Job } from '../job.ts'
import type { RunFlags } from '../run-flags.ts'

const help = `
A line of an input is a value as JSON; its number is its offset. Key and timestamp come from the topology: keyOf and
timestamp of the source. After a restart with the same --dir the job goes on after the last committed line.
Sources and sinks of the topology's own (dhaara connectors lists them) need no --input and no --output.

An output line is {"key":…, "value":…, "timestamp":…}; committed records only. Everything else goes to standard error.

Exit codes: 0 done, 1 the job failed, 2 wrong usage or a refused topology, 130 interrupted, 143 terminated.

Examples:
  $ dhaara run topology.ts --input orders=orders.jsonl --output trends=trends.jsonl --until-end
  $ tail -f orders.jsonl | dhaara run topology.ts --input orders=- --output alerts=- --dir ./data
  $ dhaara run topology.ts --input orders=a.jsonl --input payments=b.jsonl --partitions 4 --workers 4 --until-end
  $ dhaara run topology.ts --brokers localhost:9092 --dir ./state
  $ dhaara run topology.ts --dir ./data --set region=south --checkpoint-interval 1s --http 8090`

export function addRun(program: Command, done: (code: number) => void): void {
  program
    .command('run')
    .summary('run a topology')
    .description('Run the topology that a module exports by default. A TypeScript file runs as it is.')
    .argument('<module>', 'file, or folder with a topology.ts')
    .option('-i, --input <topic=file>', 'read a topic from JSON lines; - is standard input (repeatable)', topicFile)
    .option('-o, --output <topic=file>', 'write a topic as JSON lines; - is standard output (repeatable)', topicFile)
    .addOption(new Option('--input-format <format>', 'what a line is').choices(['values', 'records']).default('values'))
    .option('--partitions <n>', 'spread the lines of inputs over n partitions, by key', count(1))
    .option('--until-end', 'stop when all inputs are processed: windows close, timers fire')
    .option('--workers <n>', 'worker threads; 0: the calling thread', count(0))
    .option(
      '--dir <path>',
      'where topics and state live, with --brokers the state alone (default: a temporary directory)',
    )
    .option('--set <name=value>', 'a setting for the module: env.settings (repeatable)', setting)
    .option('--application-id <id>', "names the app's state (default: the name of the file or its folder)")
    .option('--checkpoint-interval <duration>', "how often to commit: '100ms', '1s', …")
    .option(
      '--http <port>',
      'serve stores, metrics and health on this port of 127.0.0.1; 0: any that is free',
      count(0),
    )
    .option('--json', 'tell on standard error what happens as JSON lines')
    .addOption(new Option('--log-level <level>', 'least level of logs (default: warn)').choices([...logLevels]))
    .option('--brokers <list>', 'run an instance on a Kafka cluster: host:port of some brokers, with commas')
    .addHelpText('after', help)
    .action(async (path: string, flags: RunFlags) => done(await run(path, flags)))
}

async function run(path: string, flags: RunFlags): Promise<number> {
  const progress = createProgress(flags.json === true)
  if (flags.brokers !== undefined) return runOnKafka(path, flags, progress)
  const job = new Job(path, flags, progress)
  try {
    checkFlags(flags)
    await job.prepare()
  } catch (error) {
    await job.abandon()
    if (job.code !== undefined) return job.code
    progress.error(error)
    return codeOf(error)
  }
  return job.run()
}

function checkFlags({ input = [], output = [] }: RunFlags): void {
  const topics = new Set<string>()
  for (const { topic } of input) {
    if (topics.has(topic))
      throw new DhaaraError('DHAARA_OPTION', `two inputs fill topic '${topic}'; give one file a topic`)
    topics.add(topic)
  }
  if (input.filter(({ file }) => file === '-').length > 1)
    throw new DhaaraError('DHAARA_OPTION', 'two inputs read standard input; only one can')
  const seen = new Set<string>()
  for (const { topic, file } of output) {
    if (seen.has(`${topic}=${file}`))
      throw new DhaaraError('DHAARA_OPTION', `the output ${topic}=${file} is there twice`)
    seen.add(`${topic}=${file}`)
    if (file !== '-' && input.some((one) => one.file === file))
      throw new DhaaraError('DHAARA_OPTION', `${file} is both input and output; give the output another file`)
  }
}
