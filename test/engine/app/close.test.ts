import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'

const text = serdes.string()

function unlucky() {
  const builder = new StreamsBuilder()
  builder
    .stream('words', { key: text, value: text, nullKeys: 'drop' })
    .mapValues((): string => {
      throw new Error('no luck')
    })
    .to('echoes', { key: text, value: text })
  return builder.build()
}

describe('closing an app that has just failed', () => {
  it('resolves when its directory is free', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'dhaara-close-'))
    const producer = embeddedBroker({ dir }).producer('words', { key: text, value: text })
    await producer.send({ key: 'a', value: 'b' })
    await producer.close()

    const app = new StreamsApp({ applicationId: 'echo', topology: unlucky(), broker: embeddedBroker({ dir }) })
    app.on('error', () => {})
    const closed = new Promise<void>((resolve) => {
      app.on('state', ({ to }) => {
        if (to === 'failed') resolve(app.close())
      })
    })
    await app.start()
    await closed

    const next = embeddedBroker({ dir }).producer('words', { key: text, value: text })
    await next.send({ key: 'a', value: 'c' })
    await next.close()
    await rm(dir, { recursive: true })
    assert.equal(app.state, 'failed')
  })
})
