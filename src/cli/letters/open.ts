import type { LetterFilter, LetterPage, LettersDone } from '../../connectors/broker/index.ts'
import { chosenFrom } from '../../connectors/broker/letter.ts'
import { remote } from '../../connectors/broker/remote.ts'
import { connectDirectory } from '../../connectors/embedded/index.ts'
import { kafkaBroker } from '../../connectors/kafka/index.ts'
import { RemoteLetters } from '../../engine/remote/letters.ts'
import { DhaaraError } from '../../errors/index.ts'
import { existingDirectory } from '../arguments.ts'
import { brokerList } from '../kafka/topic-client.ts'
import { type ShownLetter, shownLetter } from '../output/letters.ts'
import type { LetterPlace } from './place.ts'
import { servedLetters } from './served.ts'

export interface PlaceFlags {
  readonly dir?: string
  readonly url?: string
  readonly token?: string
  readonly brokers?: string
  readonly letters?: string
}

/** @throws DhaaraError DHAARA_OPTION if no place is said, or more than one */
export async function letterPlace({ dir, url, token, brokers, letters }: PlaceFlags): Promise<LetterPlace> {
  if ([dir, url, brokers].filter((one) => one !== undefined).length !== 1)
    throw new DhaaraError('DHAARA_OPTION', 'dlq needs --dir, --url or --brokers, one of them')
  if (brokers !== undefined) return onCluster(brokers, letters)
  if (dir !== undefined) return inDirectory(existingDirectory(dir), letters)
  if (letters !== undefined)
    throw new DhaaraError(
      'DHAARA_OPTION',
      'found --letters and --url; an app that is served has one topic of dead letters, leave out --letters',
    )
  return servedLetters({ url: url as string, ...(token === undefined ? {} : { token }) })
}

async function onCluster(brokers: string, named: string | undefined): Promise<LetterPlace> {
  const log = await kafkaBroker({ brokers: brokerList(brokers) })[remote]()
  const release = () => log.release()
  try {
    const letters = new RemoteLetters(log)
    const from = named ?? onlyLetters(await log.topics())
    if (from === undefined) return noLetters(release)
    return placeOf(
      (filter, limit) => letters.list(from, filter, limit),
      (what, filter) => letters[what](from, filter),
      release,
    )
  } catch (error) {
    await release()
    throw error
  }
}

/** By the process that holds the directory, if one does. */
async function inDirectory(dir: string, named: string | undefined): Promise<LetterPlace> {
  const client = await connectDirectory(dir)
  const release = async () => client[Symbol.asyncDispose]()
  try {
    const from = named ?? onlyLetters(await client.topics())
    if (from === undefined) return noLetters(release)
    return placeOf(
      (filter, limit) => client.call('letters.list', { from, filter, limit }) as Promise<LetterPage>,
      (what, filter) => client.call(`letters.${what}`, { from, filter }) as Promise<LettersDone>,
      release,
    )
  } catch (error) {
    await release()
    throw error
  }
}

function placeOf(
  page: (filter: LetterFilter, limit: number) => Promise<LetterPage>,
  change: (what: 'replay' | 'drop', filter: LetterFilter) => Promise<LettersDone>,
  release: () => Promise<void>,
): LetterPlace {
  const list = async (filter: LetterFilter, limit: number): Promise<ShownLetter[]> =>
    (await page(filter, limit)).letters.map(shownLetter)
  return {
    list,
    one: async (offset) => (await list({ offsets: [offset], state: 'all' }, 1))[0],
    replay: (filter) => change('replay', filter),
    drop: (filter) => change('drop', filter),
    [Symbol.asyncDispose]: release,
  }
}

/** Where no record was put aside yet, there is no topic of dead letters. */
const noLetters = (release: () => Promise<void>): LetterPlace =>
  placeOf(
    async () => ({ letters: [] }),
    async (_, filter) => ({ done: 0, refused: chosenFrom([], filter).refused }),
    release,
  )

/** undefined: there is none. @throws DhaaraError DHAARA_OPTION if there are several */
function onlyLetters(topics: readonly { readonly name: string }[]): string | undefined {
  const found = topics.map(({ name }) => name).filter((name) => name.endsWith('-dead-letters'))
  if (found.length < 2) return found[0]
  throw new DhaaraError('DHAARA_OPTION', `there are ${found.join(', ')}; name the topic of dead letters by --letters`)
}
