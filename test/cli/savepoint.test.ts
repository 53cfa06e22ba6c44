import assert from 'node:assert/strict'
import { dhaara, jsonLines, linesOf, orders, shop, start, temporaryFolder } from './dhaara.ts'

interface Told {
  readonly path: string
  readonly app: string
  readonly stores: number
  readonly rows: number
}

describe('dhaara savepoint', () => {
  const folder = temporaryFolder()
  const told = async (...args: string[]): Promise<Told[]> => {
    const { code, out, err } = await dhaara(['savepoint', ...args, '--json'])
    assert.deepEqual([code, err], [0, ''])
    return linesOf(out) as Told[]
  }
  const query = async (dir: string, store: string): Promise<unknown[]> => {
    const { out } = await dhaara(['query', store, '--dir', folder.path(dir), '--json'])
    return linesOf(out)
  }

  it('takes an app to another directory with other partitions, as if it had never stopped', async () => {
    const whole = ['run', shop, '-i', 'orders=-', '--dir', folder.path('whole'), '--until-end']
    await dhaara(whole, jsonLines(orders(100)))

    const app = start(['run', shop, '-i', 'orders=-', '-o', 'spent=-', '--dir', folder.path('old')])
    app.child.stdin.write(jsonLines(orders(40)))
    await app.line(/"key":"c0","value":273/)
    const [running] = await told('create', folder.path('running'), '--dir', folder.path('old'))
    app.child.kill('SIGINT')
    await app.ended
    const [stopped] = await told('create', folder.path('stopped'), '--dir', folder.path('old'))
    assert.deepEqual([running?.app, running?.stores], [stopped?.app, stopped?.stores])
    assert.deepEqual(
      (await told('list', folder.path(''))).map(({ path }) => path),
      [folder.path('running'), folder.path('stopped')],
    )

    const rest = [shop, '-i', 'orders=-', '--partitions', '3', '--until-end', '--dir', folder.path('new')]
    await told('restore', folder.path('running'), '--dir', folder.path('new'), '--positions', 'start')
    const { code, err } = await dhaara(['run', ...rest], jsonLines(orders(60, 40)))
    assert.equal(code, 0, err)
    for (const store of ['spent', 'byDigit']) assert.deepEqual(await query('new', store), await query('whole', store))
  }).timeout(60_000)

  it('says what it needs', async () => {
    const wrong: readonly [args: readonly string[], says: RegExp][] = [
      [['create', folder.path('x')], /DHAARA_OPTION: savepoint create needs --dir, --brokers or --url, one of them/],
      [['create', folder.path('x'), '--url', 'http://127.0.0.1:9'], /DHAARA_OPTION: nobody answers at/],
      [['restore', folder.path('x'), '--dir', folder.path('whole')], /DHAARA_SAVEPOINT: savepoint: found no savepoint/],
      [['restore', folder.path('stopped'), '--dir', folder.path('whole')], /found state of .*, expected none/],
    ]
    for (const [args, says] of wrong) {
      const { code, err } = await dhaara(['savepoint', ...args])
      assert.match(err, says)
      assert.notEqual(code, 0)
    }
  }).timeout(60_000)
})
