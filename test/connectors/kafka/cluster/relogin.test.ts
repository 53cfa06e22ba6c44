import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { admin, loginMs } from '../../../../scripts/kafka/security.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'
import { faultyCluster, unique } from '../broker.ts'
import { readAll } from './read.ts'
import {
  create,
  describe as describes,
  grant,
  group,
  read,
  revoke,
  type Rule,
  setPassword,
  topic,
  transactionalId,
  write,
} from './users.ts'

const own = { key: serdes.string(), value: serdes.string() }
/** Logins end, and are made anew, several times. */
const longEnough = 3.5 * loginMs
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

for (const client of ['platformatic', 'kafkajs'] as const) {
  describe(`${client}: what outlives its login`, function () {
    this.timeout(60_000)
    let log: RemoteLog
    let open: string
    let options: Parameters<typeof kafkaBroker>[0]
    before(async () => {
      const [node] = (await faultyCluster()).nodes
      open = `localhost:${node?.port}`
      log = await kafkaBroker({ brokers: [open] })[remote]()
      const sasl = { mechanism: 'scram-sha-512', ...admin } as const
      options = { brokers: [`localhost:${node?.secure?.sasl}`], client, sasl }
    })
    after(() => log?.release())

    it('asks, writes and ends transactions on and on, with no more connections than before', async () => {
      const topic = unique('relogin')
      await log.createTopics([{ name: topic, partitions: 1, configs: {} }])
      const mine = await kafkaBroker(options)[remote]()
      const writer = mine.writer({ transactionalId: topic })
      await writer.init()
      const rows = {
        count: 1,
        data: Buffer.from('value'),
        keyStart: Int32Array.of(-1),
        keyEnd: Int32Array.of(-1),
        valueStart: Int32Array.of(0),
        valueEnd: Int32Array.of(5),
        timestamps: Float64Array.of(1),
      }
      let written = 0
      let before = 0
      for (const until = performance.now() + longEnough; performance.now() < until; await delay(1)) {
        const [, , topics] = await Promise.all([writer.send(topic, 0, rows), mine.describe([topic]), mine.topics()])
        assert.ok(topics.some(({ name }) => name === topic))
        await writer.commit([], undefined)
        if (written++ === 10) before = sockets()
      }
      // one that is being left for a new one is there for a moment, one that was forgotten stays
      for (const until = performance.now() + loginMs / 2; sockets() > before && performance.now() < until; )
        await delay(20)
      assert.ok(sockets() <= before, `${sockets()} sockets, ${before} before`)
      await writer.close()
      await mine.release()
      assert.equal((await readAll(log, topic, 0)).length, written)
      await log.deleteTopics([topic])
    })

    it('an app whose password is changed ends and says so; with the new one it goes on', async () => {
      const app = unique('rotated')
      const rules: Rule[] = [
        [topic, app, [read, write, create]],
        [group, app, [read]],
        [transactionalId, app, [write, describes]],
      ]
      await setPassword(open, app, 'first')
      await grant(open, app, rules)
      await log.createTopics(['in', 'out'].map((name) => ({ name: `${app}.${name}`, partitions: 1, configs: {} })))
      const stateDir = await mkdtemp(join(tmpdir(), 'dhaara-rotated-'))
      const builder = new StreamsBuilder()
      builder
        .stream(`${app}.in`, own)
        .groupByKey()
        .count({ name: 'counts' })
        .toStream()
        .mapValues(String)
        .to(`${app}.out`, own)
      const make = (password: string): StreamsApp =>
        new StreamsApp({
          applicationId: app,
          topology: builder.build(),
          broker: kafkaBroker({
            ...options,
            sessionTimeout: 2000,
            sasl: { mechanism: 'scram-sha-512', username: app, password },
          }),
          stateDir,
        })
      await using producer = kafkaBroker({ brokers: [open] }).producer<string, string>(`${app}.in`, own)
      const before = make('first')
      const after = make('second')
      try {
        await before.start()
        const committed = new Promise<void>((resolve) => void before.on('checkpoint', () => resolve()))
        await producer.send({ key: 'k', value: 'a' })
        await committed
        await setPassword(open, app, 'second')
        await assert.rejects(before.completed, {
          code: 'DHAARA_KAFKA_AUTH',
          message: /did not let us in.*option sasl/s,
        })
        await producer.send({ key: 'k', value: 'b' })
        await after.start()
        after.endInputs()
        await after.completed
        assert.deepEqual(await readAll(log, `${app}.out`, 0), ['1', '2'])
      } finally {
        await before.close()
        await after.close()
        await revoke(open, rules)
        await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
        await rm(stateDir, { recursive: true, force: true })
      }
    })

    it('an app runs on, and no epoch of it is lost', async () => {
      const app = unique('relogin')
      const topics = [`${app}.in`, `${app}.out`] as const
      await log.createTopics(topics.map((name) => ({ name, partitions: 1, configs: {} })))
      const stateDir = await mkdtemp(join(tmpdir(), 'dhaara-relogin-'))
      const builder = new StreamsBuilder()
      builder
        .stream(topics[0], own)
        .groupByKey()
        .count({ name: 'counts' })
        .toStream()
        .mapValues(String)
        .to(topics[1], own)
      const said: string[] = []
      const say = (_: object, text: string): void => void said.push(text)
      const running = new StreamsApp({
        applicationId: app,
        topology: builder.build(),
        broker: kafkaBroker({ ...options, sessionTimeout: 2000 }),
        stateDir,
        logger: { debug() {}, info() {}, warn: say, error: say },
      })
      await using producer = kafkaBroker({ brokers: [open] }).producer<string, string>(topics[0], own)
      try {
        await running.start()
        let sent = 0
        for (const until = performance.now() + longEnough; performance.now() < until; await delay(10)) {
          await producer.send({ key: 'k', value: `${sent}` })
          sent++
        }
        running.endInputs()
        await running.completed
        const counts = (await readAll(log, topics[1], 0)).map(Number)
        assert.deepEqual(
          counts,
          Array.from({ length: sent }, (_, i) => i + 1),
        )
        assert.deepEqual(said, [])
      } finally {
        await running.close()
        await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
        await rm(stateDir, { recursive: true, force: true })
      }
    })
  })
}
