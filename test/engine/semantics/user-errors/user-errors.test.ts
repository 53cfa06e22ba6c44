import assert from 'node:assert/strict'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import { type DhaaraError, embeddedBroker, type Serde, StreamsApp } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { type Kind, records, type Sent, text } from './kind.ts'
import { kinds, topologyOf } from './kinds.ts'

interface Row {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

/** Sends, and takes what is thrown. */
function drive(kind: Kind, sent: readonly Sent[], options: object) {
  using driver = new TopologyTestDriver(topologyOf(kind), options)
  const errors: DhaaraError[] = []
  const attempt = (act: () => void) => {
    try {
      act()
    } catch (error) {
      errors.push(error as DhaaraError)
    }
  }
  for (const [key, value, timestamp] of sent) attempt(() => driver.input('in').send(value, { key, timestamp }))
  attempt(() => driver.end())
  const rows = driver
    .output('out')
    .readAll()
    .map(({ key, value, timestamp }) => ({ key, value, timestamp }))
  return { errors, rows }
}

async function fill(kind: Kind, sent: readonly Sent[]) {
  const broker = embeddedBroker({ partitions: 1 })
  const value = ((kind.source as { value?: Serde<string> } | undefined)?.value ?? text.value) as Serde<string>
  await using producer = broker.producer('in', { key: text.key, value })
  for (const [key, one, timestamp] of sent) await producer.send({ key, value: one, timestamp })
  return broker
}

type Broker = Awaited<ReturnType<typeof fill>>

/** Runs to the end; gives what has failed it. */
async function runApp(kind: Kind, broker: Broker, action?: 'skip' | 'deadLetter'): Promise<DhaaraError | undefined> {
  const errors = action === undefined ? {} : { errors: { user: action, data: action, external: action } }
  const app = new StreamsApp({ applicationId: 'test', topology: topologyOf(kind), broker, ...errors })
  try {
    // it may fail before it is up
    await app.start()
    app.endInputs()
    await app.completed
  } catch (error) {
    return error as DhaaraError
  }
  return undefined
}

async function rowsOf(broker: Broker, topic: string) {
  const { log, release } = await openEmbedded(broker)
  const rows: (Row & { readonly headers: Record<string, string> })[] = []
  const last = log.topic(topic) === undefined ? 0 : log.endOffset(topic, 0)
  for (let from = 0; from < last; ) {
    const batch = log.fetch(topic, 0, from)
    if (batch === undefined) break
    for (let i = 0; i < batch.count; i++) {
      const part = (start: Int32Array, end: Int32Array) =>
        (start[i] as number) < 0 ? null : batch.data.toString('utf8', start[i], end[i])
      rows.push({
        key: part(batch.keyStart, batch.keyEnd),
        value: part(batch.valueStart, batch.valueEnd),
        timestamp: batch.timestamps[i] as number,
        headers: Object.fromEntries((batch.headers?.[i] ?? []).map(([name, bytes]) => [name, `${Buffer.from(bytes)}`])),
      })
    }
    from = batch.nextOffset
  }
  await release()
  return rows
}

const bare = (rows: readonly Row[]): Row[] => rows.map(({ key, value, timestamp }) => ({ key, value, timestamp }))

function assertTold(kind: Kind, error: DhaaraError | undefined): void {
  assert.ok(error !== undefined, 'nothing was thrown')
  const { code = 'DHAARA_USER_CODE', domain, timed, step } = kind
  assert.equal(error.code, code, error.message)
  if (domain !== undefined) assert.equal(error.domain, domain)
  assert.match(error.step ?? '', new RegExp(step))
  assert.match(error.message, /it went boom/)
  const { offset } = records(kind)
  assert.match(error.message, timed ? /outside of any record/ : new RegExp(` in\\[0\\] offset ${offset}\\b`))
  const stacks: (string | undefined)[] = []
  for (let e: unknown = error; e instanceof Error; e = e.cause) stacks.push(e.stack)
  assert.match(stacks.join('\n'), /semantics\/user-errors\/[\w-]+\.ts:\d+/)
}

describe('an exception in a user function', () => {
  for (const kind of kinds) {
    describe(`of the kind: ${kind.name}`, () => {
      const { fine, given } = records(kind)

      if (!kind.appOnly)
        it('names step, record and line in the test driver, and keeps nothing else from being done', () => {
          for (const options of [{}, { codegen: false }]) {
            const { errors, rows } = drive(kind, given, options)
            assertTold(kind, errors[0])
            assert.equal(errors.length, 1, `${errors[1]?.message}`)
            if (!kind.partial) assert.deepEqual(rows, drive(kind, fine, options).rows)
          }
        })

      it('fails the app; what is skipped at the next start loses nothing else', async () => {
        const [broker, expected] = [await fill(kind, given), await fill(kind, fine)]
        assertTold(kind, await runApp(kind, broker))
        assert.equal(await runApp(kind, broker, 'skip'), undefined)
        assert.equal(await runApp(kind, expected), undefined)
        if (!kind.partial) assert.deepEqual(bare(await rowsOf(broker, 'out')), bare(await rowsOf(expected, 'out')))
        await broker[Symbol.asyncDispose]()
        await expected[Symbol.asyncDispose]()
      })

      it('goes to the dead letters, and nothing else does', async () => {
        const [broker, expected] = [await fill(kind, given), await fill(kind, fine)]
        assert.equal(await runApp(kind, broker, 'deadLetter'), undefined)
        assert.equal(await runApp(kind, expected), undefined)
        if (!kind.partial) assert.deepEqual(bare(await rowsOf(broker, 'out')), bare(await rowsOf(expected, 'out')))
        const [letter, ...others] = await rowsOf(broker, 'test-dead-letters')
        assert.equal(others.length, 0, JSON.stringify(others))
        assert.ok(letter !== undefined)
        const { headers } = letter
        assert.equal(headers['dhaara-error-code'], kind.code ?? 'DHAARA_USER_CODE')
        assert.match(headers['dhaara-error-step'] ?? '', new RegExp(kind.step))
        assert.match(headers['dhaara-error-stack'] ?? '', /semantics\/user-errors\/[\w-]+\.ts:\d+/)
        if (!kind.timed) {
          const { offset } = records(kind)
          assert.deepEqual(
            [headers['dhaara-topic'], headers['dhaara-partition'], headers['dhaara-offset']],
            ['in', '0', `${offset}`],
          )
          const [key, value] = records(kind).given[offset] as Sent
          assert.match(`${letter.key} ${letter.value}`, new RegExp(`^${key} "?${value}`))
        }
        await broker[Symbol.asyncDispose]()
        await expected[Symbol.asyncDispose]()
      })
    })
  }
})
