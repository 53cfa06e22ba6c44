import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generate } from '../../examples/flipkart/generator.ts'
import { compare } from '../examples/compare.ts'
import { flipkartModel, flipkartModes } from '../examples/flipkart-model.ts'
import { dhaara, jsonLines, linesOf, type Row, rowsIn, temporaryFolder } from './dhaara.ts'

const count = 10_000
const params = { seed: 1, count, late: 0.01, disorder: 0.05 }
const topics = Object.keys(flipkartModes)

describe('the Flipkart job on the command line', () => {
  const folder = temporaryFolder()
  const events = [...generate(params)]
  const expected = flipkartModel(events)
  const check = (rowsOf: (topic: string) => readonly Row[]): void => {
    for (const [topic, mode] of Object.entries(flipkartModes))
      compare(topic, mode, expected[topic] ?? [], rowsOf(topic))
  }

  it('gives the rows of its page from a file', async () => {
    const input = folder.write('orders.jsonl', jsonLines(events))
    const outputs = topics.flatMap((topic) => ['-o', `${topic}=${folder.path(`${topic}.jsonl`)}`])
    const run = ['run', 'examples/flipkart', '-i', `flipkart-orders=${input}`, ...outputs, '--until-end']
    const { code, err } = await dhaara(run)
    assert.equal(code, 0, err)
    check((topic) => rowsIn(folder.path(`${topic}.jsonl`)))
  }).timeout(60_000)

  it('gives them from standard input, to standard output', async () => {
    const outputs = topics.flatMap((topic) => ['-o', `${topic}=-`])
    const run = ['run', 'examples/flipkart', '-i', 'flipkart-orders=-', ...outputs, '--until-end']
    const { code, out, err } = await dhaara(run, jsonLines(events))
    assert.equal(code, 0, err)
    const rows = Map.groupBy(linesOf(out) as Row[], ({ topic }) => topic)
    check((topic) => rows.get(topic) ?? [])
  }).timeout(60_000)

  it('gives them from its generator, where consume and query find them', async () => {
    const dir = folder.path('generated')
    const run = ['examples/flipkart/main.ts', '--count', String(count), '--dir', dir]
    const example = spawnSync(process.execPath, run, { encoding: 'utf8' })
    assert.equal(example.status, 0, example.stderr)
    const rows = new Map<string, readonly Row[]>()
    for (const topic of topics) {
      const { out } = await dhaara(['consume', topic, '--dir', dir, '--module', 'examples/flipkart'])
      rows.set(topic, linesOf(out) as Row[])
    }
    check((topic) => rows.get(topic) ?? [])

    // What the run says to try next works as it stands.
    const command = /npm run -s dhaara -- (query .*)/.exec(example.stdout)?.[1]
    assert.ok(command, example.stdout)
    const { code, out, err } = await dhaara(command.split(' '))
    assert.equal(code, 0, err)
    assert.match(out, /^key +orders +spentPaise [^\n]*\n[- ]+\nCUST000001 +\d+ /)
  }).timeout(60_000)
})
