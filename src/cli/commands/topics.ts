import type { Command } from 'commander'
import { brokersFlag, connectTopics, type Place } from '../kafka/topic-client.ts'
import { print } from '../output/print.ts'

const help = `
Examples:
  $ dhaara topics --dir ./data
  $ dhaara topics --dir ./data --json
  $ dhaara topics --brokers localhost:9092`

export function addTopics(program: Command): void {
  program
    .command('topics')
    .summary('list the topics of a directory')
    .description(
      'List topics with their partitions and records. Goes through the app that holds the directory, if one runs.',
    )
    .option('--dir <path>', 'the directory')
    .option(...brokersFlag)
    .option('--json', 'a JSON line a topic, with the offsets of its partitions')
    .addHelpText('after', help)
    .action(async ({ json, ...place }: Place & { readonly json?: true }) => {
      await using client = await connectTopics(place)
      const topics = await client.topics()
      if (json) return await print(topics.map((topic) => `${JSON.stringify(topic)}\n`).join(''))
      if (topics.length === 0) return await print('no topics\n')
      const width = Math.max(5, ...topics.map(({ name }) => name.length))
      const rows = topics.map(({ name, partitions }) => {
        const records = partitions.reduce((sum, { start, end }) => sum + end - start, 0)
        return `${name.padEnd(width)}  ${String(partitions.length).padStart(10)}  ${String(records).padStart(12)}\n`
      })
      await print(`${'topic'.padEnd(width)}  partitions       records\n${rows.join('')}`)
    })
}
