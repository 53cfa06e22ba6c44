import assert from 'node:assert/strict'
import { embeddedBroker } from '../../src/index.ts'
import { temporaryFolder } from './dhaara.ts'
import { checkReplayed, makeLetters, replayedIn, replayKilled } from './letters.ts'

describe('dhaara dlq replay that is killed', () => {
  const folder = temporaryFolder()

  it('puts each letter that is meant back once, when it is begun again until it is done', async () => {
    const dir = folder.path('data')
    {
      await using broker = embeddedBroker({ dir, partitions: 2 })
      await makeLetters(broker, 'letters', 'orders')
    }
    assert.ok((await replayKilled(['--dir', dir])) > 0)
    await using broker = embeddedBroker({ dir })
    checkReplayed(await replayedIn(broker, 'orders'))
  }).timeout(180_000)
})
