import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { City, Payment } from '../../examples/upi/events.ts'
import { generate } from '../../examples/upi/generator.ts'
import topology, { fastestTravel, largeToNew, most } from '../../examples/upi/topology.ts'
import { embeddedBroker, StreamsApp } from '../../src/index.ts'

/** The rules, as plainly as can be. */
function model(payments: readonly Payment[]): { alerts: string[]; spent: Map<string, number> } {
  const alerts: string[] = []
  const minutes = new Map<string, number>()
  const last = new Map<string, { city: City; at: number }>()
  const paid = new Set<string>()
  const spent = new Map<string, number>()
  for (const { id, payer, payee, rupees, city, at } of payments) {
    const minute = `${payer} ${at - (at % 60_000)}`
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1)
    const before = last.get(payer)
    if (before !== undefined && before.city !== city && at - before.at < fastestTravel)
      alerts.push(`travel ${payer} ${id}`)
    last.set(payer, { city, at })
    if (!paid.has(`${payer} ${payee}`) && rupees >= largeToNew) alerts.push(`newPayee ${payer} ${id}`)
    paid.add(`${payer} ${payee}`)
    const hour = `${payer} ${new Date(at - (at % 3_600_000)).toISOString()}`
    spent.set(hour, (spent.get(hour) ?? 0) + rupees)
  }
  for (const [minute, count] of minutes)
    if (count > most) alerts.push(`velocity ${minute.slice(0, minute.indexOf(' '))} `)
  return { alerts: alerts.sort(), spent }
}

describe('the UPI job', () => {
  it('prints what its README shows', () => {
    const readme = readFileSync('examples/upi/README.md', 'utf8')
    const shown = /```console\n\$ npm run start:upi\n(.*?)```/s.exec(readme)?.[1]
    const { stdout } = spawnSync(process.execPath, ['examples/upi/main.ts'], { encoding: 'utf8' })
    const lines = stdout.split('\n')
    assert.equal(lines.slice(0, 4).join('\n'), shown?.trimEnd())
    assert.match(lines[4] as string, /^All of them: .*alerts-\*\.csv$/)
  }).timeout(60_000)

  it('raises the alerts and adds up the rupees that its rules say, over a restart in the middle', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-upi-'))
    const payments = [...generate({ seed: 7, count: 6000 })]
    const write = (n: number) =>
      writeFileSync(
        join(dir, 'payments.jsonl'),
        payments
          .slice(0, n)
          .map((one) => `${JSON.stringify(one)}\n`)
          .join(''),
      )
    const broker = embeddedBroker({ dir: join(dir, 'data') })
    const settings = { in: join(dir, 'payments.jsonl'), out: dir }
    const start = async () => {
      const app = new StreamsApp({
        applicationId: 'upi',
        topology: topology({ settings }),
        broker,
        checkpointInterval: 5,
      })
      await app.start()
      return app
    }
    write(2500)
    const first = await start()
    while ((first.metrics()['recordsIn'] ?? 0) < 2500) await new Promise(setImmediate)
    await first.close()
    write(6000)
    const second = await start()
    second.endInputs()
    const { recordsIn } = await second.completed
    assert.equal(recordsIn, 3500)
    const rows = (start: string) =>
      readdirSync(dir)
        .filter((name) => name.startsWith(start))
        .flatMap((name) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n'))
    const expected = model(payments)
    const alerts = rows('alerts-').filter((line) => !line.startsWith('rule,'))
    assert.deepEqual(alerts.map((line) => line.split(',').slice(0, 3).join(' ')).sort(), expected.alerts)
    assert.ok(new Set(alerts.map((line) => line.split(',')[0])).size === 3)
    const spent = rows('spent-').map((line) => JSON.parse(line) as { payer: string; hour: string; rupees: number })
    assert.deepEqual(new Map(spent.map(({ payer, hour, rupees }) => [`${payer} ${hour}`, rupees])), expected.spent)
    assert.equal(spent.length, expected.spent.size)
    await broker[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  }).timeout(60_000)
})
