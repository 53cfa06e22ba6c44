import type { Command } from 'commander'
import { remote } from '../../connectors/broker/remote.ts'
import { kafkaBroker } from '../../connectors/kafka/index.ts'
import { brokerList } from '../kafka/topic-client.ts'
import { print } from '../output/print.ts'

interface LagFlags {
  readonly brokers: string
  readonly applicationId: string
  readonly json?: true
}

const help = `
A position is what is committed; the lag is the number of offsets from there to the end, markers of transactions included.

Examples:
  $ dhaara lag --brokers localhost:9092 --application-id flipkart
  $ dhaara lag --brokers localhost:9092 --application-id flipkart --json`

export function addLag(program: Command): void {
  program
    .command('lag')
    .summary('tell how far an app on Kafka is behind its inputs')
    .description("Tell an app's position, the end and the lag of each partition that it reads on Kafka.")
    .requiredOption('--brokers <list>', 'host:port of some brokers, with commas')
    .requiredOption('--application-id <id>', 'the app')
    .option('--json', 'a JSON line a partition')
    .addHelpText('after', help)
    .action((flags: LagFlags) => lag(flags))
}

async function lag({ brokers, applicationId, json }: LagFlags): Promise<void> {
  const log = await kafkaBroker({ brokers: brokerList(brokers) })[remote]()
  try {
    const where = (await log.topics()).flatMap(({ name: topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    )
    const positions = await log.groupOffsets(applicationId, where)
    const read = where.flatMap((one, i) => (positions[i] === undefined ? [] : [{ ...one, position: positions[i] }]))
    const ends = await log.offsets(read, 'latest')
    const rows = read.map((one, i) => ({ ...one, end: ends[i] as number, lag: (ends[i] as number) - one.position }))
    if (json) return await print(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    if (rows.length === 0) return await print(`'${applicationId}' has no positions\n`)
    const width = Math.max(5, ...rows.map(({ topic }) => topic.length))
    const line = (...cells: (string | number)[]): string =>
      `${String(cells[0]).padEnd(width)}  ${cells
        .slice(1)
        .map((cell) => String(cell).padStart(12))
        .join('  ')}\n`
    const lines = rows.map(({ topic, partition, position, end, lag: behind }) =>
      line(topic, partition, position, end, behind),
    )
    await print(line('topic', 'partition', 'position', 'end', 'lag') + lines.join(''))
  } finally {
    await log.release()
  }
}
