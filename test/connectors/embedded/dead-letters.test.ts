import assert from 'node:assert/strict'
import { openEmbedded } from '../../../src/connectors/broker/index.ts'
import { connectDirectory } from '../../../src/connectors/embedded/index.ts'
import type { LetterPage, LettersDone } from '../../../src/connectors/broker/index.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'
import { temporaryDirectories } from './backends.ts'

/** Doubles numbers; refuses some. */
function topology(refused: (n: number) => boolean) {
  const builder = new StreamsBuilder()
  builder
    .stream('numbers', { key: serdes.string(), value: serdes.json<{ n: number }>(), onInvalid: 'deadLetter' })
    .selectKey(({ n }) => `k${n % 3}`, { name: 'spread' })
    .repartition({ key: serdes.string(), value: serdes.json<{ n: number }>() })
    .mapValues(
      ({ n }) => {
        if (refused(n)) throw new RangeError(`${n} is refused`)
        return 2 * n
      },
      { name: 'double' },
    )
    .to('doubled', { key: serdes.string(), value: serdes.json<number>() })
  return builder.build()
}

describe('dead letters', () => {
  const directory = temporaryDirectories()

  const run = async (dir: string, refused: (n: number) => boolean, numbers: readonly number[]): Promise<number[]> => {
    const broker = embeddedBroker({ dir, partitions: 2 })
    const app = new StreamsApp({
      applicationId: 'numbers',
      topology: topology(refused),
      broker,
      errors: { user: 'deadLetter' },
    })
    await app.start()
    const producer = broker.producer('numbers', { key: serdes.string(), value: serdes.json<{ n: number }>() })
    await Promise.all(numbers.map((n) => producer.send({ key: `n${n}`, value: { n }, headers: { trace: `t${n}` } })))
    await producer.close()
    app.endInputs()
    await app.completed
    const doubled: number[] = []
    const lease = await openEmbedded(broker)
    try {
      for (let p = 0; p < (lease.log.topic('doubled')?.partitions ?? 0); p++)
        for (
          let batch = lease.log.fetch('doubled', p, 0);
          batch !== undefined;
          batch = lease.log.fetch('doubled', p, batch.nextOffset)
        )
          for (let i = 0; i < batch.count; i++)
            doubled.push(JSON.parse(batch.data.subarray(batch.valueStart[i], batch.valueEnd[i]).toString()) as number)
    } finally {
      await lease.release()
      await (broker as unknown as AsyncDisposable)[Symbol.asyncDispose]()
    }
    return doubled.sort((a, b) => a - b)
  }
  const ask = async <T>(dir: string, name: string, params: object): Promise<T> => {
    await using client = await connectDirectory(dir)
    return (await client.call(name, { from: 'numbers-dead-letters', ...params })) as T
  }

  it('say why and where, and go back into their input once', async () => {
    const dir = directory()
    const odd = (n: number) => n % 2 === 1
    assert.deepEqual(await run(dir, odd, [0, 1, 2, 3, 4, 5]), [0, 4, 8])
    const { letters } = await ask<LetterPage>(dir, 'letters.list', {})
    assert.deepEqual(letters.map(({ message }) => /(\d) is refused/.exec(message)?.[1]).toSorted(), ['1', '3', '5'])
    for (const { step, code, topic, stack, state, headers } of letters) {
      assert.deepEqual([step, code, topic, state], ['double', 'DHAARA_USER_CODE', 'numbers', 'open'])
      assert.match(stack, /RangeError: \d is refused[^]*dead-letters\.test\.ts:\d+/)
      assert.match(headers['trace'] ?? '', /^t[135]$/)
    }
    const three = letters.find(({ message }) => message.includes('3 is refused'))?.offset as number
    assert.deepEqual(await ask<LettersDone>(dir, 'letters.drop', { filter: { offsets: [three] } }), {
      done: 1,
      refused: [],
    })
    assert.deepEqual(await ask<LettersDone>(dir, 'letters.replay', { filter: { step: 'double' } }), {
      done: 2,
      refused: [],
    })
    assert.deepEqual(await ask<LettersDone>(dir, 'letters.replay', { filter: { step: 'double' } }), {
      done: 0,
      refused: [],
    })
    assert.deepEqual(await run(dir, () => false, []), [0, 2, 4, 8, 10])
    const after = await ask<LetterPage>(dir, 'letters.list', { filter: { state: 'all' } })
    assert.deepEqual(after.letters.map(({ state }) => state).toSorted(), ['dropped', 'replayed', 'replayed'])
  })

  it('that fail again are letters of their own, with the bytes and headers of the input', async () => {
    const dir = directory()
    await run(dir, () => true, [7])
    await ask(dir, 'letters.replay', { filter: {} })
    await run(dir, () => true, [])
    const { letters } = await ask<LetterPage>(dir, 'letters.list', { filter: { state: 'all' } })
    assert.deepEqual(
      letters.map(({ state }) => state),
      ['open', 'replayed'],
    )
    const [again] = letters as [LetterPage['letters'][number]]
    assert.equal(again.headers['dhaara-replayed'], 'numbers-dead-letters/0')
    assert.equal(again.headers['trace'], 't7')
    assert.equal(Buffer.from(again.key as Uint8Array).toString(), 'n7')
    assert.equal(Buffer.from(again.value as Uint8Array).toString(), '{"n":7}')
  })

  it('come in pages, newest first, and are chosen by what they say', async () => {
    const dir = directory()
    await run(
      dir,
      () => true,
      Array.from({ length: 600 }, (_, i) => i),
    )
    const seen: number[] = []
    let before: number | undefined
    do {
      const page = await ask<LetterPage>(dir, 'letters.list', {
        limit: 100,
        ...(before === undefined ? {} : { before }),
      })
      seen.push(...page.letters.map(({ offset }) => offset))
      before = page.before
    } while (before !== undefined)
    assert.deepEqual(
      seen,
      Array.from({ length: 600 }, (_, i) => 599 - i),
    )
    const some = await ask<LetterPage>(dir, 'letters.list', { filter: { message: ': 599 is' }, limit: 5 })
    const none = await ask<LetterPage>(dir, 'letters.list', { filter: { topic: 'elsewhere' } })
    assert.deepEqual([some.letters.length, none.letters.length], [some.letters.length > 0 ? 1 : 0, 0])
  })
})
