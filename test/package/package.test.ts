import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { localRegistry } from './registry.ts'

const readme = readFileSync('README.md', 'utf8')

/** Blocks of the README in some language. */
const blocksOf = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code as string)

describe('the package', () => {
  let root = ''
  let project = ''
  before(async function () {
    this.timeout(120_000)
    root = mkdtempSync(join(tmpdir(), 'dhaara-package-'))
    project = join(root, 'project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{"type":"module"}')
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

  it('does what the README says: its files, its commands and what they print', async () => {
    for (const code of blocksOf('ts')) {
      const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1]
      if (name !== undefined) writeFileSync(join(project, name), code)
    }
    writeFileSync(join(project, 'orders.jsonl'), blocksOf('json')[0] as string)
    const commands = blocksOf('console').flatMap((block) => block.split(/^\$ /m).slice(1))
    assert.ok(commands.length >= 3)
    for (const text of commands) {
      const [command = '', ...expected] = text.trimEnd().split('\n')
      assert.deepEqual((await run('sh', ['-c', command])).trimEnd().split('\n'), expected, command)
    }
    assert.match(await run('node', ['--test', 'shop.test.ts']), /\bpass 1\b/)
  }).timeout(60_000)

  it('brings the command, with its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    assert.equal(await run(join(project, 'node_modules/.bin/dhaara'), ['--version']), `${version}\n`)
  })

  it('brings connectors that need nothing beside it, and says what others need', async () => {
    writeFileSync(join(project, 'cities.csv'), 'city,people\nPune,7\nDelhi,33\n')
    const job = `import { StreamsBuilder } from 'dhaara'
import { csvSource, jsonLinesSink } from 'dhaara/connectors'
const builder = new StreamsBuilder()
const cities = builder.source('cities', csvSource<{ people: number }>({ path: 'cities.csv', types: { people: 'number' } }))
cities.filter(({ people }) => people > 10).sink(jsonLinesSink({ path: 'large.jsonl' }), { name: 'large' })
export default builder.build()
`
    writeFileSync(join(project, 'cities.ts'), job)
    const command = join(project, 'node_modules/.bin/dhaara')
    await run(command, ['run', 'cities.ts', '--until-end'])
    assert.equal(readFileSync(join(project, 'large.jsonl'), 'utf8'), '{"city":"Delhi","people":33}\n')
    assert.match(await run(command, ['connectors']), /^postgresSink /m)
    const missing = `import('dhaara/rx').catch((error) => console.log(error.message.includes("'rxjs'")))`
    assert.equal(await run('node', ['-e', missing]), 'true\n')
  }).timeout(60_000)

  it('has types for TypeScript', async () => {
    const tsc = resolve('node_modules/typescript/bin/tsc')
    const types = ['--typeRoots', resolve('node_modules/@types'), '--types', 'node']
    const options = '--noEmit --strict --exactOptionalPropertyTypes --allowImportingTsExtensions --module nodenext'
    const files = ['shop.ts', 'main.ts', 'shop.test.ts']
    await run('node', [tsc, ...options.split(' '), '--target', 'esnext', ...types, ...files])
  }).timeout(60_000)
})
