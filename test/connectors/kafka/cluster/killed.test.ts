import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

const script = new URL('../children/counting.ts', import.meta.url).pathname
const keys = 20_000

describe('an instance that was killed', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  let sent: number

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('killed')
    sent = 0
    dir = await mkdtemp(join(tmpdir(), 'dhaara-killed-'))
    await log.createTopics([`${app}.in`, `${app}.out`].map((name) => ({ name, partitions: 2, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  async function send(from: number, to: number, end = ''): Promise<void> {
    await using producer = broker.producer(`${app}.in`, { key: serdes.string(), value: serdes.string() })
    for (let i = from; i < to; i++) void producer.send({ key: `key-${i}${end}`, value: 'x' })
    sent += to - from
  }

  async function allCommitted(): Promise<void> {
    const inputs = [0, 1].map((partition) => ({ topic: `${app}.in`, partition }))
    for (let committed = 0; committed < sent; await delay(50)) {
      const positions = await log.groupOffsets(app, inputs)
      committed = positions.reduce<number>((sum, at) => sum + (at ?? 0), 0)
    }
  }

  /**
   * Until all is committed; then it is killed. One more record comes last, so that all epochs before its own are written.
   * @returns rows that it read from changelogs at its start
   */
  async function live(stateDir = dir): Promise<number> {
    const child = spawn(process.execPath, [script, (await kafka()).join(','), app, stateDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = once(child, 'exit')
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
      await Promise.race([
        allCommitted()
          .then(() => send(0, 1))
          .then(allCommitted),
        gone,
      ])
      assert.equal(child.exitCode, null, 'it has ended by itself')
      return (JSON.parse(line) as { restored: number }).restored
    } finally {
      child.kill('SIGKILL')
      await gone
    }
  }

  it('goes on from the rows on its disk, and reads what is missing alone', async () => {
    await send(1, keys)
    await live()
    await send(1, 100)
    const restored = await live()
    assert.ok(restored <= 10, `${restored} rows were read`)
    await send(1, 50)
    const elsewhere = await live(join(dir, 'other'))
    assert.ok(elsewhere >= keys, `${elsewhere} rows were read where there were none`)
    const counts = [...(await readAll(log, `${app}.out`, 0)), ...(await readAll(log, `${app}.out`, 1))]
    const times = (n: string): number => counts.filter((count) => count === n).length
    assert.deepEqual([times('1'), times('2'), times('3'), counts.length], [keys, 100, 50, keys + 150])
  }).timeout(180_000)

  /** Its state is lost, it reads some of it from the changelog, and is killed. @returns rows that it had read, and was to read */
  async function killWhileRestoring(
    bytesPerSecond: number,
  ): Promise<{ readonly done: number; readonly total: number }> {
    const args = [script, (await kafka()).join(','), app, dir, String(bytesPerSecond)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const gone = once(child, 'exit')
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const { done, total } = JSON.parse(line) as { done?: number; total: number }
        assert.ok(done !== undefined, 'it had restored all before it was killed')
        if (done < total) return { done, total }
      }
      throw new Error('it has ended by itself')
    } finally {
      child.kill('SIGKILL')
      await gone
    }
  }

  it('goes on with a restore from where it was killed in it, and has all rows', async () => {
    // more than a fetch of either partition
    const end = '-'.padEnd(250, 'x')
    await send(1, keys, end)
    await live()
    await rm(dir, { recursive: true })
    const { done, total } = await killWhileRestoring(1_000_000)
    await send(1, 100, end)
    // it holds its rows to the whole changelog, and reads them anew where they differ
    const restored = await live()
    assert.ok(
      restored > 0 && restored <= keys - done,
      `${restored} rows were read, where ${done} of ${total} were there`,
    )
    const counts = [...(await readAll(log, `${app}.out`, 0)), ...(await readAll(log, `${app}.out`, 1))]
    const times = (n: string): number => counts.filter((count) => count === n).length
    // each life is ended by one record with a key of its own
    assert.deepEqual([times('1'), times('2'), counts.length], [keys, 100, keys + 100])
  }).timeout(180_000)
})
