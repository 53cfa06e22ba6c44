import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { type AppOptions, kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { busy } from '../children/busy.ts'
import { readAll } from './read.ts'

const partitions = 6

async function until(is: () => boolean, what: string | (() => string)): Promise<void> {
  for (const end = Date.now() + 60_000; !is(); ) {
    assert.ok(Date.now() < end, typeof what === 'string' ? what : what())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** What an instance says of its tasks. */
class Diary {
  readonly entries: { readonly what: string; readonly tasks: readonly string[] }[] = []
  /** Records. */
  restored = 0
  /** Tasks that were left alone for another instance. */
  kept = 0
  readonly logger = {
    debug() {},
    info: (fields: object, text = '') => {
      const { coming, leaving, tasks } = fields as Partial<Record<'coming' | 'leaving' | 'tasks', string[]>>
      if (text.startsWith('tasks are kept')) this.kept = tasks?.length ?? 0
      if (/tasks (come|leave)/.test(text))
        this.entries.push({ what: coming === undefined ? 'leave' : 'come', tasks: coming ?? leaving ?? [] })
    },
    warn() {},
    error() {},
  }

  /** Of the tasks that it has now. */
  get partitions(): number[] {
    const has = new Set<string>()
    for (const { what, tasks } of this.entries)
      for (const task of tasks)
        if (what === 'come') has.add(task)
        else has.delete(task)
    return [...has].map((task) => Number(task.split('_')[1]))
  }

  count(what: string): number {
    return this.entries.filter((one) => one.what === what).flatMap(({ tasks }) => tasks).length
  }
}

describe('tasks that move between instances on Kafka', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  let settings: { input: string; output: string }
  let sent: number

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka(), sessionTimeout: 6000 })
    log = await broker[remote]()
    app = unique('moving')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-moving-'))
    settings = { input: `${app}.in`, output: `${app}.out` }
    sent = 0
    await log.createTopics(Object.values(settings).map((name) => ({ name, partitions, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  /** Sends so many numbers more, each with a key of its own, and waits until each is counted. */
  async function work(count: number): Promise<void> {
    const options = { key: serdes.string(), value: serdes.json<number>() }
    {
      await using producer = broker.producer<string, number>(settings.input, options)
      for (let i = 0; i < count; i++, sent++)
        void producer.send({ key: String(sent), value: sent, timestamp: 1000 + sent })
    }
    const stop = new AbortController()
    let seen = 0
    for await (const _ of broker.consumer(settings.output, { ...options, signal: stop.signal }))
      if (++seen === sent) stop.abort()
    const counts = await Promise.all(Array.from({ length: partitions }, (_, p) => readAll(log, settings.output, p)))
    assert.deepEqual(counts.flat().map(Number), new Array<number>(sent).fill(1))
  }

  async function start(state: string, own: Partial<AppOptions> = {}): Promise<{ app: StreamsApp; diary: Diary }> {
    const diary = new Diary()
    const options = { applicationId: app, broker, topology: busy(settings), logger: diary.logger }
    const instance = new StreamsApp({ ...options, stateDir: join(dir, state), ...own })
    instance.on('restore', ({ total }) => void (diary.restored += total))
    await instance.start()
    return { app: instance, diary }
  }

  /** Until the instances have so many tasks each. */
  async function spread(diaries: readonly Diary[], counts: readonly number[]): Promise<void> {
    const now = (): number[] => diaries.map((diary) => diary.count('come') - diary.count('leave'))
    await until(
      () => String(now()) === String(counts),
      () => `the tasks are spread as ${now()}, not ${counts}`,
    )
  }

  it('are shared from one to three and back, and those that stay never stop', async () => {
    const one = await start('one')
    await work(300)
    const two = await start('two')
    const three = await start('three')
    await spread([one.diary, two.diary, three.diary], [2, 2, 2])
    // none has come back to where it had left from
    assert.equal(one.diary.count('come'), partitions)
    assert.equal(one.diary.count('leave'), partitions - 2)
    await work(300)
    await two.app.close()
    await three.app.close()
    await spread([one.diary], [partitions])
    await work(300)
    await one.app.close()
  }).timeout(120_000)

  it('stay where they are while an instance with a name is restarted', async () => {
    const one = await start('one', { instanceId: 'one' })
    const two = await start('two', { instanceId: 'two' })
    await spread([one.diary, two.diary], [3, 3])
    await work(200)
    const before = one.diary.entries.length
    await two.app.close()
    const again = await start('two', { instanceId: 'two' })
    assert.equal(again.diary.count('come'), 3)
    await work(200)
    assert.equal(one.diary.entries.length, before, JSON.stringify(one.diary.entries))
    // its rows lay there
    assert.equal(again.diary.restored, 0)
    await again.app.close()
    await one.app.close()
  }).timeout(120_000)

  it('are kept for an instance without a name that is restarted, for as long as is said', async () => {
    const own = { rebalanceDelay: '1m' } as const
    const one = await start('one', own)
    const two = await start('two', own)
    await spread([one.diary, two.diary], [3, 3])
    await work(200)
    const before = one.diary.entries.length
    await two.app.close()
    await until(() => one.diary.kept === 3, 'nothing is kept')
    const again = await start('two', own)
    await spread([again.diary], [3])
    await work(200)
    assert.equal(one.diary.entries.length, before, JSON.stringify(one.diary.entries))
    assert.equal(again.diary.restored, 0)
    await again.app.close()
    await one.app.close()
    // one that does not come back: its tasks go to others then
    const short = { rebalanceDelay: '1s' } as const
    const three = await start('one', short)
    const four = await start('two', short)
    await spread([three.diary, four.diary], [3, 3])
    await four.app.close()
    await spread([three.diary], [partitions])
    assert.equal(three.diary.kept, 3)
    await work(100)
    await three.app.close()
  }).timeout(120_000)

  it('go on from a copy of their state where one is kept', async () => {
    const one = await start('one', { standbyReplicas: 1 })
    const two = await start('two', { standbyReplicas: 1 })
    await spread([one.diary, two.diary], [3, 3])
    await work(600)
    // a key is a row, and the lag alone may be of before the rows
    const keys = await Promise.all(one.diary.partitions.map((p) => readAll(log, settings.output, p)))
    const rows = keys.flat().length
    const copied = (): number => two.app.metrics()['standby.records'] ?? 0
    await until(
      () => copied() >= rows,
      () => `${copied()} of ${rows} rows were copied`,
    )
    assert.equal(two.app.metrics()['standby.tasks'], 3)
    two.diary.restored = 0
    await one.app.close()
    await spread([two.diary], [partitions])
    // no more than what was committed at the end
    assert.ok(two.diary.restored < 100, `${two.diary.restored} records were restored`)
    await work(100)
    await two.app.close()
  }).timeout(120_000)
})
