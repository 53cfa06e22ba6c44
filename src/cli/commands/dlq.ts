import type { Command } from 'commander'
import { Option } from 'commander'
import type { LetterFilter, LetterPage, LettersDone } from '../../connectors/broker/index.ts'
import { connectDirectory } from '../../connectors/embedded/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { count, existingDirectory } from '../arguments.ts'
import { remote } from '../../connectors/broker/remote.ts'
import { kafkaBroker } from '../../connectors/kafka/index.ts'
import { RemoteLetters } from '../../engine/remote/letters.ts'
import { brokerList, brokersFlag } from '../kafka/topic-client.ts'
import { print } from '../output/print.ts'
import { letterLines, letterText, type ShownLetter, shownLetter } from '../output/letters.ts'

interface LetterFlags {
  readonly dir?: string
  readonly brokers?: string
  readonly letters?: string
  readonly code?: string
  readonly step?: string
  readonly topic?: string
  readonly message?: string
  readonly state?: 'open' | 'replayed' | 'dropped' | 'all'
  readonly limit?: number
  readonly json?: true
  readonly all?: true
}

const help = `
Examples:
  $ dhaara dlq list --dir ./data
  $ dhaara dlq list --dir ./data --step score --message timeout --json
  $ dhaara dlq show 17 --dir ./data
  $ dhaara dlq replay 17 18 --dir ./data
  $ dhaara dlq replay --step score --dir ./data
  $ dhaara dlq drop --all --dir ./data
  $ dhaara dlq list --brokers localhost:9092 --letters shop-dead-letters

A replay appends the records to the partitions that they came from and marks the letters, in one commit: each is replayed once,
also while the app runs. Letters stay in their topic; 'list --state all' tells what was done with them.`

export function addDlq(program: Command): void {
  const dlq = program
    .command('dlq')
    .summary('look into dead letters, replay and drop them')
    .description(
      'Dead letters: records that were put aside, and why. Goes through the app that holds the directory, if one runs.',
    )
    .addHelpText('after', help)
  placed(dlq.command('list').description('List dead letters, the newest first.'))
    .addOption(new Option('--state <state>', 'which').choices(['open', 'replayed', 'dropped', 'all']).default('open'))
    .option('--limit <n>', 'at most so many', count(1), 50)
    .option('--json', 'a JSON line a letter')
    .action(async (flags: LetterFlags) => {
      const { letters } = await call<LetterPage>(flags, 'list', filterOf(flags, []), flags.limit)
      await print(letterLines(letters.map(shownLetter), flags.json === true))
    })
  placed(dlq.command('show').description('Show one dead letter: its reason, its stack, its record.'), false)
    .argument('<offset>', 'of the letter', count(0))
    .option('--json', 'as JSON')
    .action(async (offset: number, flags: LetterFlags) => {
      const { letters } = await call<LetterPage>(flags, 'list', { offsets: [offset], state: 'all' }, 1)
      const [letter] = letters
      if (letter === undefined)
        throw new DhaaraError('DHAARA_QUERY', `there is no letter ${offset}; dhaara dlq list shows them`)
      const shown: ShownLetter = shownLetter(letter)
      await print(flags.json ? `${JSON.stringify(shown)}\n` : letterText(shown))
    })
  for (const what of ['replay', 'drop'] as const) {
    const done = what === 'replay' ? 'replayed' : 'dropped'
    const description = what === 'replay' ? 'Put records back into their inputs, once.' : 'Be done with letters.'
    placed(dlq.command(what).description(description))
      .argument('[offsets...]', 'of letters; without any: all that fit the filter')
      .option('--all', 'all that are open')
      .action(async (given: readonly string[], flags: LetterFlags) => {
        const offsets = given.map(count(0))
        const filter = filterOf(flags, offsets)
        if (Object.keys(filter).length === 0 && flags.all !== true)
          throw new DhaaraError('DHAARA_OPTION', `found no letters to ${what}; give offsets, a filter, or --all`)
        const result = await call<LettersDone>(flags, what, filter)
        const refused = result.refused.map(({ offset, why }) => `letter ${offset} was not: ${why}\n`)
        await print(`${result.done} ${result.done === 1 ? 'letter' : 'letters'} ${done}\n${refused.join('')}`)
      })
  }
}

function placed(command: Command, filtered = true): Command {
  command
    .option('--dir <path>', 'the directory that the app was run with')
    .option(...brokersFlag)
    .option('--letters <topic>', 'the topic of dead letters, where there are several')
  if (!filtered) return command
  return command
    .option('--code <code>', 'of the error')
    .option('--step <step>', 'that failed')
    .option('--topic <topic>', 'that the record came from')
    .option('--message <text>', 'text in the message')
}

function filterOf({ code, step, topic, message, state }: LetterFlags, offsets: readonly number[]) {
  return {
    ...(offsets.length === 0 ? {} : { offsets }),
    ...(code === undefined ? {} : { code }),
    ...(step === undefined ? {} : { step }),
    ...(topic === undefined ? {} : { topic }),
    ...(message === undefined ? {} : { message }),
    ...(state === undefined ? {} : { state }),
  }
}

async function call<T>(
  flags: LetterFlags,
  what: 'list' | 'replay' | 'drop',
  filter: LetterFilter,
  limit?: number,
): Promise<T> {
  const { dir, brokers, letters } = flags
  if ((dir === undefined) === (brokers === undefined))
    throw new DhaaraError('DHAARA_OPTION', 'dlq needs --dir or --brokers, one of them')
  if (brokers !== undefined) {
    const log = await kafkaBroker({ brokers: brokerList(brokers) })[remote]()
    try {
      const cluster = new RemoteLetters(log)
      const from = letters ?? onlyLetters(await log.topics())
      return (await (what === 'list' ? cluster.list(from, filter, limit) : cluster[what](from, filter))) as T
    } finally {
      await log.release()
    }
  }
  await using client = await connectDirectory(existingDirectory(dir as string))
  const from = letters ?? onlyLetters(await client.topics())
  return (await client.call(`letters.${what}`, { from, filter, ...(limit === undefined ? {} : { limit }) })) as T
}

/** @throws DhaaraError DHAARA_OPTION if there is none, or more than one */
function onlyLetters(topics: readonly { readonly name: string }[]): string {
  const found = topics.map(({ name }) => name).filter((name) => name.endsWith('-dead-letters'))
  if (found.length === 1) return found[0] as string
  const has = found.length === 0 ? 'no record was put aside here' : `there are ${found.join(', ')}`
  throw new DhaaraError('DHAARA_OPTION', `${has}; name the topic of dead letters by --letters`)
}
