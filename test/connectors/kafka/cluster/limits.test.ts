import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'

describe('what an app on Kafka does not do', () => {
  it('is said, with what to do: savepoints while it runs, indexes', async () => {
    const broker = kafkaBroker({ brokers: await kafka() })
    const log = await broker[remote]()
    const app = unique('limits')
    await log.createTopics([{ name: `${app}.in`, partitions: 1, configs: {} }])
    const builder = new StreamsBuilder()
    builder.table(`${app}.in`, {
      key: serdes.string(),
      value: serdes.json<{ city: string }>(),
      store: { name: 'customers', indexes: { byCity: ({ city }: { city: string }) => city } },
    })
    const http = { port: 0, admin: true } as const
    const running = new StreamsApp({ applicationId: app, broker, topology: builder.build(), http })
    try {
      await running.start()
      const folder = join(tmpdir(), app)
      const refusal = { code: 'DHAARA_UNSUPPORTED', message: /Stop them, then: dhaara savepoint create/ }
      await assert.rejects(running.savepoint(folder), refusal)
      const answer = await fetch(new URL('/api/savepoints', running.httpUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ folder }),
      })
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /DHAARA_UNSUPPORTED.*dhaara savepoint create/s)
      await assert.rejects(running.store('customers').by('byCity', 'Pune').toArray(), {
        code: 'DHAARA_UNSUPPORTED',
        message: /a table of its own .* prefix\(\)/s,
      })
    } finally {
      await running.close()
      await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
      await log.release()
    }
  })
})
