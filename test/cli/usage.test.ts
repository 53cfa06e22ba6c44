import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dhaara, shop, temporaryFolder } from './dhaara.ts'

const commands = ['run', 'describe', 'topics', 'produce', 'consume', 'query', 'reset', 'savepoint', 'lag']

describe('dhaara', () => {
  const folder = temporaryFolder()

  it('tells its commands, its version, and how each command is used', async () => {
    const [bare, help, version, ...each] = await Promise.all([
      dhaara([]),
      dhaara(['--help']),
      dhaara(['--version']),
      ...commands.map((command) => dhaara([command, '--help'])),
    ])
    assert.equal(bare.code, 2)
    assert.equal(bare.out, '')
    assert.equal(bare.err, help.out)
    assert.equal(help.code, 0)
    assert.equal(version.out, `${(JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version}\n`)
    for (const [i, command] of commands.entries()) {
      assert.match(help.out, new RegExp(`^  ${command} `, 'm'))
      assert.equal(each[i]?.code, 0)
      assert.match(each[i]?.out ?? '', new RegExp(`^Examples:\n  \\$ .*dhaara ${command}`, 'm'))
    }
  }).timeout(60_000)

  const wrong: readonly [what: string, args: readonly string[], says: RegExp][] = [
    ['an unknown command', ['rnu'], /unknown command 'rnu'[\s\S]*Did you mean run\?/],
    ['an unknown option', ['topics', '--dir', 'x', '--dri'], /unknown option '--dri'[\s\S]*dhaara topics --help/],
    ['a missing argument', ['describe'], /missing required argument 'module'/],
    ['a missing option', ['topics'], /DHAARA_OPTION: neither --dir nor --brokers is given/],
    ['too many arguments', ['describe', 'a', 'b'], /too many arguments/],
    ['a number that is none', ['run', 'x.ts', '--workers', 'two'], /Found 'two'; expected a whole number from 0/],
    ['an input without file', ['run', 'x.ts', '--input', 'orders'], /Found 'orders'; expected topic=file\.jsonl/],
    ['a setting without name', ['run', 'x.ts', '--set', '=1'], /Found '=1'; expected name=value/],
    ['a choice that is none', ['describe', 'x.ts', '--format', 'svg'], /Allowed choices are text, mermaid, dot, json/],
    ['a module that is not there', ['describe', 'none.ts'], /error DHAARA_MODULE: there is no .*none\.ts/],
    ['files with Kafka', ['run', shop, '--brokers', 'k:9092', '-i', 'a=-'], /--input does not go with --brokers/],
    ['a directory that is none', ['topics', '--dir', 'none'], /DHAARA_OPTION: .*none is no directory of dhaara's/],
  ]
  for (const [what, args, says] of wrong) {
    it(`refuses ${what}`, async () => {
      const { code, out, err } = await dhaara(args, '', folder.path('.'))
      assert.match(err, says)
      assert.equal(out, '')
      assert.equal(code, 2)
    })
  }

  it('tells errors as JSON where JSON is wanted', async () => {
    const { code, err } = await dhaara(['describe', 'none.ts', '--json'], '', folder.path('.'))
    const { event, code: error } = JSON.parse(err) as { event: string; code: string }
    assert.deepEqual([code, event, error], [2, 'error', 'DHAARA_MODULE'])
  })
})
