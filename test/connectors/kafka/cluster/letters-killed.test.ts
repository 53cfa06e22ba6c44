import assert from 'node:assert/strict'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/index.ts'
import { checkReplayed, makeLetters, replayedIn, replayKilled } from '../../../cli/letters.ts'
import { kafka, unique } from '../broker.ts'

describe('a replay of dead letters on Kafka that is killed', () => {
  const app = unique('replayed')
  let log: RemoteLog

  after(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
  })

  it('puts each letter that is meant back once, when it is begun again until it is done', async () => {
    const brokers = await kafka()
    const broker = kafkaBroker({ brokers })
    log = await broker[remote]()
    const names = [`${app}.in`, `${app}.in-done`]
    await log.createTopics(names.map((name) => ({ name, partitions: 2, configs: {} })))
    await makeLetters(broker, app, `${app}.in`)
    assert.ok((await replayKilled(['--brokers', brokers.join(','), '--letters', `${app}-dead-letters`])) > 0)
    checkReplayed(await replayedIn(broker, `${app}.in`))
  }).timeout(180_000)
})
