import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/index.ts'
import { dhaara, jsonLines, linesOf, orders, type Row, shop, temporaryFolder } from '../../../cli/dhaara.ts'
import { kafka, unique } from '../broker.ts'

describe('the command line with a Kafka cluster', () => {
  const folder = temporaryFolder()
  let brokers: string
  let log: RemoteLog
  const topics = ['orders', 'spent', 'hours', 'digits']

  before(async () => {
    brokers = (await kafka()).join(',')
    log = await kafkaBroker({ brokers: brokers.split(',') })[remote]()
    await log.deleteTopics(topics)
    await log.createTopics(topics.map((name) => ({ name, partitions: 2, configs: {} })))
  })
  after(async () => {
    await log.deleteTopics(topics)
    await log.release()
  })

  it('produces, runs, consumes, lists, tells the lag and resets', async () => {
    const id = unique('shop')
    const input = folder.path('orders.jsonl')
    writeFileSync(input, jsonLines(orders(90)))
    const place = ['--brokers', brokers]
    const produced = await dhaara(['produce', 'orders', ...place, '--file', input, '--module', shop])
    assert.match(produced.err, /90 records appended/)
    const state = folder.path('state')
    const run = ['run', shop, ...place, '--application-id', id, '--dir', state, '--until-end']
    const ran = await dhaara(run)
    assert.equal(ran.code, 0, ran.err)
    assert.match(ran.err, /^90 records in/)
    const consumed = await dhaara(['consume', 'spent', ...place, '--module', shop])
    const last = Object.fromEntries((linesOf(consumed.out) as Row[]).map(({ key, value }) => [String(key), value]))
    assert.deepEqual(last, { c0: 1305, c1: 1335, c2: 1365 })
    assert.match((await dhaara(['topics', ...place])).out, /^orders +2 +90$/m)
    const lag = linesOf((await dhaara(['lag', ...place, '--application-id', id, '--json'])).out)
    assert.deepEqual(
      (lag as { topic: string; lag: number }[]).filter(({ topic }) => topic === 'orders').map((row) => row.lag),
      [0, 0],
    )
    const would = await dhaara(['reset', ...place, '--application-id', id])
    assert.match(would.out, /would lose[\s\S]*-changelog[\s\S]*Nothing has gone/)
    const reset = await dhaara(['reset', ...place, '--application-id', id, '--dir', state, '--yes'])
    assert.equal(reset.code, 0, reset.err)
    const left = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(id))
    assert.deepEqual(left, [`${id}-dead-letters`])
    const again = await dhaara(run)
    assert.match(again.err, /^90 records in/)
    await dhaara(['reset', ...place, '--application-id', id, '--topic', `${id}-dead-letters`, '--yes'])
  }).timeout(90_000)
})
