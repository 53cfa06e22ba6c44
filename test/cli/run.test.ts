import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { dhaara, jsonLines, linesOf, orders, type Row, rowsIn, shop, start, temporaryFolder } from './dhaara.ts'

const lastOf = (rows: readonly Row[]): Record<string, unknown> =>
  Object.fromEntries(rows.map(({ key, value }) => [String(key), value]))

describe('dhaara run', () => {
  const folder = temporaryFolder()

  it('reads a file and writes a file, and says what it did on standard error only', async () => {
    const input = folder.write('a.jsonl', jsonLines(orders(90)))
    const output = folder.write('spent.jsonl', 'the former content\n')
    const run = ['run', shop, '-i', `orders=${input}`, '-o', `spent=${output}`, '--until-end']
    const { code, out, err } = await dhaara(run)
    assert.equal(code, 0, err)
    assert.equal(out, '')
    assert.match(err, /^90 records in, \d+ out, in .* checkpoints\n[\s\S]*90 records of spent written\n$/)
    const rows = rowsIn(output)
    assert.equal(rows.length, 90)
    assert.deepEqual(rows[4], { key: 'c1', value: 5, timestamp: orders(5)[4]?.at })
    assert.deepEqual(lastOf(rows), { c0: 1305, c1: 1335, c2: 1365 })
  })

  it('reads standard input, writes standard output, and names the topics of what shares an output', async () => {
    const run = ['run', shop, '--input', 'orders=-', '-o', 'hours=-', '-o', 'digits=-', '--until-end']
    const { code, out, err } = await dhaara(run, jsonLines(orders(61)))
    assert.equal(code, 0, err)
    const rows = linesOf(out) as Row[]
    const start = orders(1)[0]?.at as number
    const window = { start, end: start + 3_600_000 }
    const first = rows.find(({ topic, key }) => topic === 'hours' && (key as { key: string }).key === 'c0')
    assert.deepEqual(first, { topic: 'hours', key: { key: 'c0', window }, value: 20, timestamp: first?.timestamp })
    assert.equal(rows.filter(({ topic }) => topic === 'hours').length, 4)
    assert.equal(rows.filter(({ topic }) => topic === 'digits').length, 61)
  })

  it('takes lines as they come: a byte order mark, CRLF, no line break at the end, empty lines and what is no JSON', async () => {
    const good = orders(3).map((order) => JSON.stringify(order))
    const text = `\ufeff${good[0]}\r\n\n{"id":1\r\n"text"\n${good[1]}\n${JSON.stringify({ id: 1 })}\n${good[2]}`
    const input = folder.write('odd.jsonl', text)
    const letters = folder.path('letters.jsonl')
    const run = ['run', shop, '-i', `orders=${input}`, '-o', 'spent=-', '-o', `fixtures-dead-letters=${letters}`]
    const { code, out, err } = await dhaara([...run, '--until-end'])
    assert.equal(code, 0, err)
    assert.deepEqual(lastOf(linesOf(out) as Row[]), { c0: 0, c1: 1, c2: 2 })
    assert.deepEqual(
      rowsIn(letters).map(({ value }) => value),
      ['', '{"id":1', 'text', { id: 1 }],
    )
  })

  it('stops at what the policy does not take, and says what, where, and why', async () => {
    const input = folder.write('bad.jsonl', `${jsonLines(orders(5))}{"id":\n`)
    const output = folder.write('kept.jsonl', 'the former content\n')
    const run = ['run', shop, '--set', 'invalid=fail', '-i', `orders=${input}`, '-o', `spent=${output}`, '--until-end']
    const { code, out, err } = await dhaara(run)
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(err, /^error DHAARA_DESERIALIZE: .*orders.*offset 5/m)
    assert.equal(readFileSync(output, 'utf8'), 'the former content\n')
    assert.ok(!readdirSync(folder.path('.')).some((name) => name.endsWith('.tmp')))
  })

  it('leads from an exception to the line in the user’s code', async () => {
    const run = ['run', shop, '--set', 'throwOn=7', '-i', 'orders=-', '--until-end']
    const { code, err } = await dhaara(run, jsonLines(orders(9)))
    assert.equal(code, 1)
    const line = readFileSync(shop, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('throw new Error'))
    assert.match(err, /^error DHAARA_USER_CODE: .*order 7 is cursed/m)
    assert.match(err, /^ {2}step: orders-peek-1$/m)
    assert.match(err, new RegExp(`^ {2}at: .*topology\\.ts:${line + 1}:`, 'm'))
  })

  it('goes on after the last line it has read, when the file has grown', async () => {
    const dir = folder.path('grown')
    const run = (...more: string[]) =>
      dhaara(['run', shop, '-i', `orders=${folder.path('grown.jsonl')}`, '--dir', dir, '--until-end', ...more])
    folder.write('grown.jsonl', jsonLines(orders(30)))
    assert.equal((await run()).code, 0)
    folder.write('grown.jsonl', jsonLines(orders(40)))
    const { code, err, out } = await run('-o', 'spent=-')
    assert.equal(code, 0, err)
    assert.match(err, /^10 records in/)
    // Outputs hold all of the topic, as a file that is replaced must.
    assert.equal(linesOf(out).length, 40)
    assert.deepEqual(lastOf(linesOf(out) as Row[]), { c0: 273, c1: 247, c2: 260 })

    folder.write('grown.jsonl', jsonLines(orders(40).toReversed()))
    const changed = await run()
    assert.equal(changed.code, 2)
    assert.match(changed.err, /^error DHAARA_INPUT_CHANGED: .*grown\.jsonl has changed.*lines 0 to 39/)
    folder.write('grown.jsonl', jsonLines(orders(20)))
    assert.match((await run()).err, /DHAARA_INPUT_CHANGED: .*it had \d+ bytes and has \d+/)
  }).timeout(60_000)

  it('spreads lines over partitions by their key', async () => {
    const run = ['run', shop, '-i', 'orders=-', '-o', 'spent=-', '--partitions', '3', '--dir', folder.path('spread')]
    const { code, out, err } = await dhaara([...run, '--until-end'], jsonLines(orders(300)))
    assert.equal(code, 0, err)
    assert.deepEqual(lastOf(linesOf(out) as Row[]), { c0: 14850, c1: 14950, c2: 15050 })
    const topics = linesOf((await dhaara(['topics', '--json', '--dir', folder.path('spread')])).out) as {
      name: string
      partitions: { end: number }[]
    }[]
    const ends = topics.find(({ name }) => name === 'orders')?.partitions.map(({ end }) => end)
    assert.equal(ends?.length, 3)
    assert.equal(
      ends?.reduce((a, b) => a + b),
      300,
    )
    const other = await dhaara(['run', shop, '--partitions', '2', '--dir', folder.path('spread'), '--until-end'])
    assert.deepEqual([other.code, /DHAARA_TOPIC_PARTITIONS/.test(other.err)], [2, true])
  }).timeout(60_000)

  it('runs on worker threads', async () => {
    const run = ['run', shop, '-i', 'orders=-', '-o', 'spent=-', '--partitions', '3', '--workers', '2', '--until-end']
    const { code, out, err } = await dhaara(run, jsonLines(orders(300)))
    assert.equal(code, 0, err)
    assert.deepEqual(lastOf(linesOf(out) as Row[]), { c0: 14850, c1: 14950, c2: 15050 })
    const failed = await dhaara([...run, '--set', 'throwOn=250'], jsonLines(orders(300)))
    assert.equal(failed.code, 1)
    assert.match(failed.err, /^error DHAARA_USER_CODE: .*order 250 is cursed/m)
    assert.match(failed.err, /^ {2}at: .*topology\.ts:\d+:/m)
  }).timeout(60_000)

  it('takes whole records, with key, time and headers', async () => {
    const [order] = orders(1)
    const records = [
      { key: 'other', value: order, timestamp: 5, headers: { trace: 'x' } },
      { value: order },
      { key: null, value: order },
      { key: 'c0', value: null },
    ]
    const run = ['run', shop, '--input-format', 'records', '-i', 'orders=-', '-o', 'spent=-', '--until-end']
    const { code, out, err } = await dhaara(run, jsonLines(records))
    assert.equal(code, 0, err)
    assert.deepEqual(lastOf(linesOf(out) as Row[]), { other: 0, c0: 0 })
    const wrong = await dhaara(run, jsonLines([{ key: 'a', value: 1, timestamp: 'now' }]))
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /DHAARA_DESERIALIZE: standard input, line 0: a line for 'orders' is no record/)
  }).timeout(60_000)

  it('tells as JSON lines what happens', async () => {
    const { code, out, err } = await dhaara(
      ['run', shop, '-i', 'orders=-', '-o', 'spent=-', '--until-end', '--json'],
      jsonLines(orders(12)),
    )
    assert.equal(code, 0)
    assert.equal(linesOf(out).length, 12)
    const events = linesOf(err) as { event: string; recordsIn?: number; outputs?: unknown }[]
    assert.deepEqual(
      events.filter(({ event }) => event === 'state').map((event) => (event as { to?: string }).to),
      ['starting', 'restoring', 'running', 'closing', 'closed'],
    )
    const summary = events.at(-1)
    assert.deepEqual(
      [summary?.event, summary?.recordsIn, summary?.outputs],
      ['summary', 12, [{ topic: 'spent', records: 12 }]],
    )
    const failed = await dhaara(['run', shop, '-i', 'orders=-', '--set', 'throwOn=1', '--json'], jsonLines(orders(2)))
    const error = (linesOf(failed.err) as Record<string, unknown>[]).find(({ event }) => event === 'error')
    assert.deepEqual([error?.code, error?.step, failed.code], ['DHAARA_USER_CODE', 'orders-peek-1', 1])
  }).timeout(60_000)

  const refused: readonly [what: string, args: readonly string[], says: RegExp][] = [
    ['a topic that is not read', ['-i', 'payments=-'], /does not read topic 'payments'; it reads: orders/],
    ['a topic that is not written', ['-o', 'spend=-'], /does not write topic 'spend'; it writes: spent, hours, digits/],
    ['a file that is not there', ['-i', 'orders=none.jsonl'], /input of topic 'orders' cannot be read: ENOENT/],
    ['an output that cannot be', ['-o', 'spent=none/x.jsonl'], /output .*\/none\/x\.jsonl cannot be written: ENOENT/],
    ['a folder as output', ['-o', 'spent=.'], /output .* cannot be written: .*is a directory/],
    ['a topic twice', ['-i', 'orders=a', '-i', 'orders=b'], /two inputs fill topic 'orders'/],
    ['a file that is input and output', ['-i', 'orders=x', '-o', 'spent=x'], /x is both input and output/],
    ['an output twice', ['-o', 'spent=x', '-o', 'spent=x'], /the output spent=x is there twice/],
    ['a wrong duration', ['--checkpoint-interval', 'soon'], /DHAARA_DURATION: .*soon/],
    ['a wrong name', ['--application-id', 'a/b'], /DHAARA_OPTION: applicationId is 'a\/b'/],
    ['a directory of something else', ['--dir', '.'], /DHAARA_STATE_CORRUPT: .*no dhaara\.json/],
  ]
  it('refuses what cannot be run, before anything is begun', async () => {
    folder.write('x', '')
    for (const [what, args, says] of refused) {
      const { code, out, err } = await dhaara(['run', shop, '--until-end', ...args], '', folder.path('.'))
      assert.match(err, says, what)
      assert.equal(out, '', what)
      assert.equal(code, /CORRUPT/.test(err) ? 1 : 2, what)
    }
  }).timeout(60_000)

  it('closes cleanly on Ctrl-C, and goes on from there', async () => {
    const dir = folder.path('interrupted')
    const run = ['run', shop, '-i', 'orders=-', '-o', 'spent=-', '--dir', dir]
    const first = start(run)
    first.child.stdin.write(jsonLines(orders(6)))
    await first.line(/"key":"c2","value":7/)
    first.child.kill('SIGINT')
    const { code, err } = await first.ended
    assert.equal(code, 130)
    assert.match(err, /SIGINT: closing[\s\S]*6 records in/)
    assert.ok(!existsSync(resolve(dir, 'owner.json')))

    const second = await dhaara([...run, '--until-end'], jsonLines(orders(3, 6)))
    assert.equal(second.code, 0, second.err)
    assert.match(second.err, /^3 records in/m)
    assert.deepEqual(lastOf(linesOf(second.out) as Row[]), { c0: 9, c1: 12, c2: 15 })
  }).timeout(60_000)

  it('serves the app over HTTP', async () => {
    const running = start(['run', shop, '-i', 'orders=-', '-o', 'spent=-', '--http', '0'])
    const url = (await running.line(/^http http:/)).slice(5)
    running.child.stdin.write(jsonLines(orders(6)))
    await running.line(/"key":"c2","value":7/)
    const response = await fetch(`${url}/api/stores/spent/row?key=%22c2%22`)
    assert.deepEqual(await response.json(), { key: 'c2', value: 7 })
    running.child.kill('SIGINT')
    assert.equal((await running.ended).code, 130)
  }).timeout(60_000)

  it('closes cleanly on SIGTERM, and leaves output files as they were where the end was wanted', async () => {
    const output = folder.write('before.jsonl', 'the former content\n')
    const running = start(['run', shop, '-i', 'orders=-', '-o', `spent=${output}`, '--until-end', '--json'])
    await running.line(/"to":"running"/)
    running.child.kill('SIGTERM')
    assert.equal((await running.ended).code, 143)
    assert.equal(readFileSync(output, 'utf8'), 'the former content\n')
  }).timeout(60_000)

  it('reads what can be read once only: a pipe, and standard input by its name', async () => {
    const input = folder.write('piped.jsonl', jsonLines(orders(30)))
    for (const command of ["orders=<(cat '$0')", "orders=/dev/stdin < <(cat '$0')"]) {
      const run = `'${process.execPath}' src/cli/main.ts run '${shop}' -o spent=- --until-end -i `
      const { stdout } = await promisify(execFile)('bash', ['-c', (run + command).replace('$0', input)])
      assert.deepEqual(lastOf(linesOf(stdout) as Row[]), { c0: 135, c1: 145, c2: 155 })
    }
  })

  it('goes on when nobody reads what it says of its progress', async () => {
    const input = folder.write('unheard.jsonl', jsonLines(orders(300)))
    const output = folder.path('unheard-spent.jsonl')
    const run = `src/cli/main.ts run '${shop}' -i orders='${input}' -o spent='${output}' --until-end --json`
    const command = `'${process.execPath}' ${run} 2>&1 >/dev/null | true; exit \${PIPESTATUS[0]}`
    await promisify(execFile)('bash', ['-c', command])
    assert.equal(rowsIn(output).length, 300)
  })

  it('fails where an output cannot be written, and leaves the file that was there', async function () {
    if (process.platform !== 'linux') this.skip()
    const input = folder.write('full.jsonl', jsonLines(orders(300)))
    const run = ['run', shop, '-i', `orders=${input}`, '--until-end']
    const toFile = await dhaara([...run, '-o', 'spent=/dev/full'])
    assert.equal(toFile.code, 1)
    assert.match(toFile.err, /^error DHAARA_OUTPUT: the output \/dev\/full could not be written: ENOSPC/m)
    assert.doesNotMatch(toFile.err, /\n {4}at /)
    const toStandard = promisify(execFile)('bash', [
      '-c',
      `'${process.execPath}' src/cli/main.ts ${run.join(' ')} -o spent=- > /dev/full`,
    ])
    await assert.rejects(toStandard, ({ code, stderr }: { code: number; stderr: string }) => {
      assert.equal(code, 1)
      assert.match(stderr, /error DHAARA_OUTPUT: standard output could not be written: ENOSPC/)
      return true
    })
    const { code, err } = await dhaara(['run', shop, '-i', `orders=${folder.path('')}`, '--until-end'])
    assert.equal(code, 2)
    assert.match(err, /^error DHAARA_OPTION: the input of topic 'orders' cannot be read: .* is a directory$/m)
  })

  it('ends, and is no failure, when the reader of its output has gone', async () => {
    const running = start(['run', shop, '-i', 'orders=-', '-o', 'digits=-'])
    running.child.stdin.write(jsonLines(orders(10)))
    await running.line(/"value":1/)
    running.child.stdout.destroy()
    running.child.stdin.write(jsonLines(orders(10, 10)))
    const { code, err } = await running.ended
    assert.equal(code, 0, err)
    assert.doesNotMatch(err, /error|EPIPE/)
  }).timeout(60_000)
})
