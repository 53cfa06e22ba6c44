import type { Command } from 'commander'
import { Option } from 'commander'
import type { WireBatch } from '../../connectors/embedded/index.ts'
import { count } from '../arguments.ts'
import { brokersFlag, connectTopics, type Place } from '../kafka/topic-client.ts'
import { loadModule } from '../load-module.ts'
import { print } from '../output/print.ts'
import { RowWriter } from '../output/row-writer.ts'
import { wireBatch } from '../output/wire-batch.ts'
import { PlanTopics } from '../plan-topics.ts'

interface ConsumeFlags extends Place {
  readonly from: 'beginning' | 'end'
  readonly follow?: true
  readonly max?: number
  readonly module?: string
  readonly offsets?: true
  readonly headers?: true
}

const help = `
Without --module, keys are told as text and values as JSON or text. With it, the serdes of the topology are used.

Examples:
  $ dhaara consume alerts --dir ./data
  $ dhaara consume alerts --dir ./data --from end --follow
  $ dhaara consume trends --dir ./data --module topology.ts --max 10
  $ dhaara consume flipkart-dead-letters --dir ./data --headers --offsets
  $ dhaara consume orders --brokers localhost:9092 --max 10`

export function addConsume(program: Command): void {
  program
    .command('consume')
    .summary('print the records of a topic')
    .description('Print committed records as JSON lines. Goes through the app that holds the directory, if one runs.')
    .argument('<topic>', 'the topic')
    .option('--dir <path>', 'the directory')
    .option(...brokersFlag)
    .addOption(new Option('--from <where>', 'where to begin').choices(['beginning', 'end']).default('beginning'))
    .option('--follow', 'go on with what is appended later, until interrupted')
    .option('--max <n>', 'end after so many records', count(0))
    .option('--offsets', 'tell partition and offset')
    .option('--headers', 'tell headers')
    .option('--module <module>', 'the topology whose serdes read the topic')
    .addHelpText('after', help)
    .action((topic: string, flags: ConsumeFlags) => consume(topic, flags))
}

async function consume(topic: string, flags: ConsumeFlags): Promise<void> {
  const { from, follow = false, max = Number.POSITIVE_INFINITY, module, offsets = false, headers = false } = flags
  const serdes = module === undefined ? [] : new PlanTopics((await loadModule(module, {})).plan).serdesOf(topic)
  const rows = new RowWriter(topic, serdes, { offset: offsets, headers })
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.stdout.on('error', end)
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  // Nothing else keeps the process alive while it follows.
  const awake = setInterval(() => {}, 2 ** 30)
  try {
    await using client = await connectTopics(flags)
    let left = max
    if (left === 0) return
    for await (const wire of client.consume({ topic, from, follow }, ending.signal) as AsyncIterable<WireBatch>) {
      const batch = wireBatch(topic, wire)
      const n = Math.min(left, batch.count)
      await print(rows.lines(batch, 0, n))
      left -= n
      if (left === 0 || ending.signal.aborted) return
    }
  } finally {
    clearInterval(awake)
  }
}
