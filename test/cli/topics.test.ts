import assert from 'node:assert/strict'
import { openDirectory } from '../../src/connectors/embedded/directory.ts'
import { dhaara, jsonLines, linesOf, orders, type Row, shop, start, temporaryFolder } from './dhaara.ts'

describe('dhaara topics, produce and consume', () => {
  const folder = temporaryFolder()

  it('append to a directory that nobody holds, list its topics and print them', async () => {
    const dir = folder.path('stopped')
    const none = await dhaara(['produce', 'orders', '--dir', dir])
    assert.deepEqual([none.code, none.out, none.err], [0, '', '0 records appended to orders\n'])
    assert.equal((await dhaara(['topics', '--dir', dir])).out, 'no topics\n')

    const made = await dhaara(['produce', 'orders', '--dir', dir, '--module', shop], jsonLines(orders(7)))
    assert.deepEqual([made.code, made.err], [0, '7 records appended to orders\n'])
    const records = jsonLines([
      { key: 'k', value: { a: 1 }, timestamp: 17, headers: { h: 'x' } },
      { key: { c: 1 }, value: null, timestamp: 18 },
      { value: 'text', timestamp: 19 },
    ])
    const plain = await dhaara(['produce', 'plain', '--dir', dir, '--input-format', 'records'], records)
    assert.equal(plain.code, 0, plain.err)
    const [list, json] = await Promise.all([
      dhaara(['topics', '--dir', dir]),
      dhaara(['topics', '--dir', dir, '--json']),
    ])
    assert.match(list.out, /^topic +partitions +records\norders +1 +7\nplain +1 +3\n$/)
    assert.deepEqual(linesOf(json.out), [
      { name: 'orders', partitions: [{ start: 0, end: 7 }] },
      { name: 'plain', partitions: [{ start: 0, end: 3 }] },
    ])

    const all = await dhaara(['consume', 'plain', '--dir', dir, '--headers', '--offsets'])
    assert.deepEqual(linesOf(all.out), [
      { partition: 0, offset: 0, key: 'k', value: { a: 1 }, timestamp: 17, headers: { h: 'x' } },
      { partition: 0, offset: 1, key: '{"c":1}', value: null, timestamp: 18, headers: {} },
      { partition: 0, offset: 2, key: null, value: 'text', timestamp: 19, headers: {} },
    ])
    const some = await dhaara(['consume', 'orders', '--dir', dir, '--max', '5', '--module', shop])
    assert.deepEqual(
      (linesOf(some.out) as Row[]).map(({ key, value }) => [key, value]),
      orders(5).map((order) => [order.customer, order]),
    )
    assert.equal((await dhaara(['consume', 'orders', '--dir', dir, '--from', 'end'])).out, '')
  }).timeout(60_000)

  it('go through the app that holds the directory', async () => {
    const dir = folder.path('running')
    const app = start(['run', shop, '--dir', dir, '--json'])
    await app.line(/"to":"running"/)
    const follower = start(['consume', 'orders', '--dir', dir, '--follow', '--from', 'end'])
    const spent = start(['consume', 'spent', '--dir', dir, '--follow', '--max', '3'])
    const made = await dhaara(['produce', 'orders', '--dir', dir, '--module', shop], jsonLines(orders(3)))
    assert.equal(made.err, '3 records appended to orders\n')
    const { code, out } = await spent.ended
    assert.equal(code, 0)
    assert.deepEqual(
      (linesOf(out) as Row[]).map(({ key, value }) => [key, value]),
      [
        ['c0', 0],
        ['c1', 1],
        ['c2', 2],
      ],
    )
    // More, until the follower has seen one that came after it had begun.
    for (let from = 3, seen = follower.line(/"id":/).then(() => true); ; from++) {
      await dhaara(['produce', 'orders', '--dir', dir, '--module', shop], jsonLines(orders(1, from)))
      if (await Promise.race([seen, Promise.resolve(false)])) break
    }
    follower.child.kill('SIGINT')
    assert.equal((await follower.ended).code, 0)
    app.child.kill('SIGINT')
    assert.equal((await app.ended).code, 130)
  }).timeout(60_000)

  it('say what is wrong', async () => {
    const dir = folder.path('wrong')
    await dhaara(['produce', 'orders', '--dir', dir], jsonLines(orders(1)))
    const [topic, input, module, record] = await Promise.all([
      dhaara(['consume', 'ordres', '--dir', dir]),
      dhaara(['produce', 'orders', '--dir', folder.path('wrong-2'), '--file', 'none.jsonl']),
      dhaara(['produce', 'spent', '--dir', folder.path('wrong-3'), '--module', shop]),
      dhaara(['produce', 'orders', '--dir', folder.path('wrong-4'), '--input-format', 'records'], '[1]\n'),
    ])
    assert.deepEqual([topic.code, /DHAARA_TOPIC_UNKNOWN: .*ordres/.test(topic.err)], [1, true], topic.err)
    assert.deepEqual([input.code, /DHAARA_INPUT: none\.jsonl could not be read/.test(input.err)], [1, true], input.err)
    assert.match(module.err, /DHAARA_OPTION: .* does not read topic 'spent'; it reads: orders/)
    assert.equal(module.code, 2)
    assert.deepEqual([record.code, /DHAARA_DESERIALIZE: .*is no record/.test(record.err)], [1, true], record.err)
  }).timeout(60_000)

  it('name the process that holds a directory and does not answer', async () => {
    const dir = folder.path('locked')
    const held = await openDirectory(dir)
    const results = await Promise.all([
      dhaara(['topics', '--dir', dir]),
      dhaara(['run', shop, '--dir', dir, '--until-end']),
    ])
    await held.close()
    for (const { code, out, err } of results) {
      assert.match(err, new RegExp(`DHAARA_STATE_LOCKED: ${dir} is held by process ${process.pid}, since`))
      assert.deepEqual([code, out], [1, ''])
    }
  }).timeout(60_000)

  it('end, and have not failed, when their reader has gone', async () => {
    const dir = folder.path('gone')
    await dhaara(['produce', 'orders', '--dir', dir], jsonLines(orders(50_000)))
    const consume = start(['consume', 'orders', '--dir', dir])
    await consume.line(/"id":0/)
    consume.child.stdout.destroy()
    const { code, err } = await consume.ended
    assert.deepEqual([code, err], [0, ''])
  }).timeout(60_000)
})
