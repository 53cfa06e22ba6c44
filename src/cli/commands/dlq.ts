import type { Command } from 'commander'
import { Option } from 'commander'
import { mostNamed, noLetter } from '../../connectors/broker/letter.ts'
import { DhaaraError } from '../../errors/index.ts'
import { count } from '../arguments.ts'
import { tokenFlag, urlFlag } from '../http-client.ts'
import { brokersFlag } from '../kafka/topic-client.ts'
import { letterPlace, type PlaceFlags } from '../letters/open.ts'
import type { ListFilter } from '../letters/place.ts'
import { print } from '../output/print.ts'
import { letterLines, letterText } from '../output/letters.ts'

interface LetterFlags extends PlaceFlags {
  readonly code?: string
  readonly step?: string
  readonly topic?: string
  readonly message?: string
  readonly state?: 'open' | 'replayed' | 'dropped' | 'all'
  readonly limit: number
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
  $ dhaara dlq replay --step score --url http://127.0.0.1:8090
  $ dhaara dlq list --brokers localhost:9092 --letters shop-dead-letters

A replay appends the records to the partitions that they came from and marks the letters, in one commit: each is replayed once,
also while the app runs. Letters stay in their topic; 'list --state all' tells what was done with them. With --url the app does
it, and needs http: {admin: true} to change something.`

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
      await using place = await letterPlace(flags)
      await print(letterLines(await place.list(filterOf(flags), flags.limit), flags.json === true))
    })
  placed(dlq.command('show').description('Show one dead letter: its reason, its stack, its record.'), false)
    .argument('<offset>', 'of the letter', count(0))
    .option('--json', 'as JSON')
    .action(async (offset: number, flags: LetterFlags) => {
      await using place = await letterPlace(flags)
      const letter = await place.one(offset)
      if (letter === undefined) {
        const there = (await place.list({ state: 'all' }, mostNamed + 1)).map((one) => one.offset)
        throw noLetter(offset, there.reverse())
      }
      await print(flags.json ? `${JSON.stringify(letter)}\n` : letterText(letter))
    })
  for (const what of ['replay', 'drop'] as const) {
    const done = what === 'replay' ? 'replayed' : 'dropped'
    const description = what === 'replay' ? 'Put records back into their inputs, once.' : 'Be done with letters.'
    placed(dlq.command(what).description(description))
      .argument('[offsets...]', 'of letters; without any: all that fit the filter')
      .option('--all', 'all that are open')
      .action(async (given: readonly string[], flags: LetterFlags) => {
        const offsets = given.map(count(0))
        const filter = { ...filterOf(flags), ...(offsets.length === 0 ? {} : { offsets }) }
        if (Object.keys(filter).length === 0 && flags.all !== true)
          throw new DhaaraError('DHAARA_OPTION', `found no letters to ${what}; give offsets, a filter, or --all`)
        await using place = await letterPlace(flags)
        const result = await place[what](filter)
        const refused = result.refused.map(({ offset, why }) => `letter ${offset} was not: ${why}\n`)
        await print(`${result.done} ${result.done === 1 ? 'letter' : 'letters'} ${done}\n${refused.join('')}`)
      })
  }
}

function placed(command: Command, filtered = true): Command {
  command
    .option('--dir <path>', 'the directory that the app was run with')
    .option(...urlFlag)
    .option(...tokenFlag)
    .option(...brokersFlag)
    .option('--letters <topic>', 'the topic of dead letters, where there are several')
  if (!filtered) return command
  return command
    .option('--code <code>', 'of the error')
    .option('--step <step>', 'that failed')
    .option('--topic <topic>', 'that the record came from')
    .option('--message <text>', 'text in the message')
}

function filterOf({ code, step, topic, message, state }: LetterFlags): ListFilter {
  return {
    ...(code === undefined ? {} : { code }),
    ...(step === undefined ? {} : { step }),
    ...(topic === undefined ? {} : { topic }),
    ...(message === undefined ? {} : { message }),
    ...(state === undefined ? {} : { state }),
  }
}
