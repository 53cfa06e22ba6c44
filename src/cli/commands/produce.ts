import { createReadStream } from 'node:fs'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { WireRecord } from '../../connectors/embedded/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { brokersFlag, connectTopics, type Place, type TopicClient } from '../kafka/topic-client.ts'
import { LineSplitter } from '../../connectors/files/lines.ts'
import { type InputFormat, RecordMaker, type RecordTaker, type Written } from '../input/record-maker.ts'
import { loadModule } from '../load-module.ts'
import { PlanTopics } from '../plan-topics.ts'

interface ProduceFlags extends Place {
  readonly file: string
  readonly inputFormat: InputFormat
  readonly module?: string
}

const help = `
Without --module, keys are text (or JSON, where they are no text) and values JSON. With it, the topology's source says how
they are written, and which key a value has. All lines that were read are committed before the command ends.

Examples:
  $ dhaara produce orders --dir ./data < orders.jsonl
  $ echo '{"key":"c1","value":{"total":5},"timestamp":1761000000000}' | dhaara produce orders --dir ./data --input-format records
  $ dhaara produce orders --dir ./data --file orders.jsonl --module topology.ts`

export function addProduce(program: Command): void {
  program
    .command('produce')
    .summary('append JSON lines to a topic')
    .description('Append lines of JSON to a topic. Goes through the app that holds the directory, if one runs.')
    .argument('<topic>', 'made with one partition if it is not there')
    .option('--dir <path>', 'the directory; made if it is not there')
    .option(...brokersFlag)
    .option('--file <file>', 'read this file; - is standard input', '-')
    .addOption(new Option('--input-format <format>', 'what a line is').choices(['values', 'records']).default('values'))
    .option('--module <module>', 'the topology whose source reads the topic')
    .addHelpText('after', help)
    .action(async (topic: string, flags: ProduceFlags) => {
      const source = flags.module === undefined ? {} : await sourceOf(flags.module, topic)
      await using client = await connectTopics(flags, true)
      const lines = await produce(client, topic, source, flags)
      process.stderr.write(`${lines} records appended to ${topic}\n`)
    })
}

async function sourceOf(module: string, topic: string): Promise<Written> {
  const topics = new PlanTopics((await loadModule(module, {})).plan)
  const source = topics.sourceOf(topic)
  if (source !== undefined) return source
  throw new DhaaraError(
    'DHAARA_OPTION',
    `${module} does not read topic '${topic}'; it reads: ${topics.inputs.join(', ')}`,
  )
}

async function produce(
  client: TopicClient,
  topic: string,
  source: Written,
  { file, inputFormat }: ProduceFlags,
): Promise<number> {
  let batch: WireRecord[] = []
  // The owner of the directory knows the partitions, and spreads the records over them.
  const taker: RecordTaker = {
    add(key, value, timestamp, headers) {
      batch.push({ key, value, timestamp, ...(headers === undefined ? {} : { headers }) })
    },
  }
  const maker = new RecordMaker(topic, source, inputFormat, [taker])
  const splitter = new LineSplitter(1 << 18)
  let lines = 0
  const line = (buf: Buffer, start: number, end: number): void => {
    // The splitter's bytes move before the batch is sent.
    maker.line(Buffer.from(buf.subarray(start, end)), 0, end - start, Date.now())
    lines++
  }
  const send = async (): Promise<void> => {
    if (batch.length > 0) await client.produce(topic, batch)
    batch = []
  }
  const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 })
  try {
    for await (const chunk of input) {
      splitter.push(chunk as Buffer)
      splitter.take(line, () => {})
      await send()
    }
  } catch (cause) {
    if (cause instanceof DhaaraError) throw cause
    throw new DhaaraError('DHAARA_INPUT', `${file} could not be read: ${(cause as Error).message}`, { cause })
  }
  splitter.takeRest(line, () => {})
  await send()
  return lines
}
