import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'

/** An app whose step throws; the argument says who hears of it. */
const [heardBy] = process.argv.slice(2)
const text = serdes.string()
const builder = new StreamsBuilder()
builder
  .stream('words', { key: text, value: text, nullKeys: 'drop' })
  .mapValues((word) => {
    if (word === 'unlucky') throw new Error('no luck')
    return word
  })
  .to('echoes', { key: text, value: text })

const dir = await mkdtemp(join(tmpdir(), 'dhaara-unheard-'))
const broker = embeddedBroker({ dir })
const log = (): void => {}
const logger = heardBy === 'logger' ? { logger: { debug: log, info: log, warn: log, error: log } } : {}
const app = new StreamsApp({ applicationId: 'echo', topology: builder.build(), broker, ...logger })
const failed = Promise.withResolvers<void>()
app.on('state', ({ to }) => {
  if (to === 'failed') failed.resolve()
})
if (heardBy === 'listener') app.on('error', log)
if (heardBy === 'completed') app.completed.catch(log)
await app.start()
const producer = broker.producer('words', { key: text, value: text })
await producer.send({ key: 'a', value: 'unlucky' })
await failed.promise
await producer.close()
await app.close()
await rm(dir, { recursive: true, force: true })
