import assert from 'node:assert/strict'
import { from, map, NEVER, concat, range, Subject, take, toArray, lastValueFrom, throwError } from 'rxjs'
import { observableSource, observerSink, replayableSource, toObservable } from '../../src/connectors/rx/index.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../src/index.ts'
import { upTo } from '../up-to.ts'

async function toEnd(topology: Topology, broker = embeddedBroker()) {
  await using app = new StreamsApp({ applicationId: 'rx', topology, broker })
  await app.start()
  return await app.completed
}

describe('RxJS', () => {
  it('is where records come from and go to', async () => {
    const builder = new StreamsBuilder()
    const seen = new Subject<{ value: number; timestamp: number }>()
    const all = lastValueFrom(seen.pipe(take(1000), toArray()))
    builder
      .source('numbers', observableSource(range(0, 1000)), { timestamp: (n) => n })
      .mapValues((n) => n * 2)
      .sink(observerSink<null, number>(seen))
    await toEnd(builder.build())
    assert.deepEqual(
      (await all).map(({ value, timestamp }) => [value, timestamp]),
      upTo(1000).map((n) => [n * 2, n]),
    )
  })

  it('replays from a position, and is not read twice', async () => {
    const broker = embeddedBroker()
    const found: number[] = []
    const upToNow = (count: number): Topology => {
      const builder = new StreamsBuilder()
      const events = (position = 0) =>
        range(position, count - position).pipe(map((n) => ({ value: n, timestamp: n, position: n + 1 })))
      builder
        .source('events', replayableSource(events))
        .sink(observerSink({ next: ({ value }) => void found.push(value) }))
      return builder.build()
    }
    await toEnd(upToNow(10), broker)
    await toEnd(upToNow(25), broker)
    assert.deepEqual(found, upTo(25))
    await broker[Symbol.asyncDispose]()
  })

  it('that cannot be replayed, or held back, says so by a code', async () => {
    const broker = embeddedBroker()
    const build = (options: object, source = from([1, 2])): Topology => {
      const builder = new StreamsBuilder()
      builder.source('numbers', { ...observableSource(source, options), retry: { attempts: 1 } }).sink({ write() {} })
      return builder.build()
    }
    await toEnd(build({}), broker)
    await toEnd(build({}), broker)
    await assert.rejects(toEnd(build({ onRestart: 'fail' }), broker), { code: 'DHAARA_SOURCE_POSITION' })
    await broker[Symbol.asyncDispose]()
    await assert.rejects(toEnd(build({ buffer: 3 }, concat(range(0, 5), NEVER))), /more than 3 values/)
    await assert.rejects(
      toEnd(
        build(
          {},
          throwError(() => new Error('gone')),
        ),
      ),
      { code: 'DHAARA_SOURCE_FAILED' },
    )
    assert.throws(() => observableSource(NEVER, { buffer: 0 }), { code: 'DHAARA_OPTION' })
  })

  it('follows stores and topics of a running app', async () => {
    const builder = new StreamsBuilder()
    const numbers = builder.stream('numbers', { key: serdes.string(), value: serdes.json<number>() })
    const counts = numbers.groupByKey().count({ store: 'counts' })
    numbers.to('copies')
    const broker = embeddedBroker()
    await using app = new StreamsApp({ applicationId: 'rx', topology: builder.build(), broker, checkpointInterval: 5 })
    await app.start()
    const copies = lastValueFrom(
      toObservable(app.observe<string, number>('copies', { key: serdes.string(), value: serdes.json<number>() })).pipe(
        take(3),
        map(({ value }) => value),
        toArray(),
      ),
    )
    const seen: unknown[] = []
    const ended = new Promise<void>((complete) => {
      toObservable(app.store(counts.store).subscribe('a')).subscribe({
        next: ({ value }) => seen.push(value),
        complete,
      })
    })
    await using producer = broker.producer('numbers', { key: serdes.string(), value: serdes.json<number>() })
    for (const n of [1, 2, 3]) await producer.send({ key: 'a', value: n })
    assert.deepEqual(await copies, [1, 2, 3])
    await app.close()
    await ended
    assert.equal(seen.at(-1), 3)
  })
})
