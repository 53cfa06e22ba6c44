/** `npm run start:upi`: makes payments, finds fraud among them, and tells what was found. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { embeddedBroker, StreamsApp } from '../../src/index.ts'
import { generate } from './generator.ts'
import topology from './topology.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '20000' },
    dir: { type: 'string' },
    postgres: { type: 'string' },
  },
})
const dir = values.dir ?? mkdtempSync(join(tmpdir(), 'dhaara-upi-'))
mkdirSync(dir, { recursive: true })
const input = join(dir, 'payments.jsonl')
const payments = generate({ seed: Number(values.seed), count: Number(values.count) })
writeFileSync(input, Array.from(payments, (payment) => `${JSON.stringify(payment)}\n`).join(''))

const settings = { in: input, out: dir, ...(values.postgres === undefined ? {} : { postgres: values.postgres }) }
await using app = new StreamsApp({
  applicationId: 'upi',
  topology: topology({ settings }),
  broker: embeddedBroker({ dir: join(dir, 'data') }),
})
await app.start()
app.endInputs()
const { recordsIn, recordsOut } = await app.completed

const alerts = readdirSync(dir)
  .filter((name) => name.startsWith('alerts-'))
  .flatMap((name) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n').slice(1))
const rules = Map.groupBy(alerts, (line) => line.slice(0, line.indexOf(',')))
console.log(`${recordsIn} payments, ${recordsOut} rows out; ${alerts.length} alerts:`)
for (const [rule, lines] of [...rules].sort())
  console.log(`  ${rule.padEnd(9)} ${String(lines.length).padStart(5)}   ${lines[0]}`)
console.log(`All of them: ${join(relative('.', dir) || '.', 'alerts-*.csv')}`)
