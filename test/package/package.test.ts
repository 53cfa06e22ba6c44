import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { localRegistry } from './registry.ts'

const program = `
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, sum } from 'dhaara'
import { TopologyTestDriver } from 'dhaara/testing'

const builder = new StreamsBuilder()
builder
  .stream('orders', { key: serdes.string(), value: serdes.json(), nullKeys: 'drop' })
  .groupByKey()
  .aggregate(sum((order) => order.total), { store: 'spent' })
  .toStream()
  .to('spent', { key: serdes.string(), value: serdes.json() })
const topology = builder.build()

const driver = new TopologyTestDriver(topology)
driver.input('orders').send({ total: 3 }, { key: 'a' })
driver.input('orders').send({ total: 4 }, { key: 'a' })
const spent = driver.output('spent').readAll().map(({ value }) => value)

const broker = embeddedBroker({ dir: 'data' })
await using app = new StreamsApp({ applicationId: 'shop', topology, broker })
await app.start()
const producer = broker.producer('orders', { key: serdes.string(), value: serdes.json() })
for (const total of [5, 6]) await producer.send({ key: 'b', value: { total } })
const stop = new AbortController()
for await (const { value } of broker.consumer('spent', { value: serdes.json(), signal: stop.signal })) {
  spent.push(value)
  if (value === 11) break
}
console.log(JSON.stringify(spent))
`

const topology = `
import { StreamsBuilder, serdes, type Topology } from 'dhaara'

interface Order { readonly customer: string; readonly total: number }

const builder = new StreamsBuilder()
builder
  .stream('orders', { key: serdes.string(), value: serdes.json<Order>(), keyOf: (order) => order.customer })
  .filter((order) => order.total > 10)
  .to('large', { key: serdes.string(), value: serdes.json<Order>() })
const topology: Topology = builder.build()
export default topology
`

describe('the package', () => {
  let root = ''
  let project = ''
  before(async function () {
    this.timeout(120_000)
    root = mkdtempSync(join(tmpdir(), 'dhaara-package-'))
    project = join(root, 'project')
    mkdirSync(project)
    await run('npm', ['pack', '--silent', '--pack-destination', root], process.cwd())
    const [tarball] = readdirSync(root).filter((name) => name.endsWith('.tgz'))
    await using registry = await localRegistry(process.cwd())
    // Git hosts and scripts of packages have no part in it.
    const quick = ['--no-audit', '--no-fund', '--ignore-scripts', '--cache', join(root, 'cache')]
    await run(
      'npm',
      ['install', '--loglevel', 'error', '--registry', registry.url, ...quick, join(root, String(tarball))],
      project,
    )
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  /** Runs a command as a user would: nothing of this repository is on its way but Node. */
  async function run(command: string, args: readonly string[], cwd = project, input = ''): Promise<string> {
    const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`
    const env = { PATH: path, HOME: root, npm_config_update_notifier: 'false' }
    const child = spawn(command, args, { cwd, env, stdio: 'pipe' })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.stdin.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    assert.equal(code, 0, `${command} ${args.join(' ')}\n${err}${out}`)
    return out
  }

  it('holds what is needed to use it, and nothing else', () => {
    const files = readdirSync(join(project, 'node_modules/dhaara'))
    assert.deepEqual(files.toSorted(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'])
    assert.ok(!existsSync(join(project, 'node_modules/typescript')))
  })

  it('runs topologies, in tests and in apps', async () => {
    writeFileSync(join(project, 'main.mjs'), program)
    assert.equal(await run('node', ['main.mjs']), '[3,7,5,11]\n')
  }).timeout(30_000)

  it('brings the command', async () => {
    writeFileSync(join(project, 'topology.ts'), topology)
    const orders = [5, 15].map((total) => `${JSON.stringify({ customer: 'c', total })}\n`).join('')
    const args = ['run', 'topology.ts', '-i', 'orders=-', '-o', 'large=-', '--until-end']
    const out = await run(join(project, 'node_modules/.bin/dhaara'), args, project, orders)
    const { key, value } = JSON.parse(out) as { key: string; value: object }
    assert.deepEqual({ key, value }, { key: 'c', value: { customer: 'c', total: 15 } })
    const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version
    assert.equal(await run(join(project, 'node_modules/.bin/dhaara'), ['--version']), `${version}\n`)
  }).timeout(30_000)

  it('has types for TypeScript', async () => {
    const tsc = resolve('node_modules/typescript/bin/tsc')
    const types = ['--typeRoots', resolve('node_modules/@types'), '--types', 'node']
    const strict = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'esnext',
    ]
    await run('node', [tsc, ...strict, ...types, 'topology.ts'])
  }).timeout(60_000)
})
