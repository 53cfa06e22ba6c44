import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { dhaara, shop, temporaryFolder } from './dhaara.ts'

const library = JSON.stringify(resolve('src/index.ts'))

describe('dhaara describe', () => {
  const folder = temporaryFolder()

  it('shows a topology as text, Mermaid, dot and JSON', async () => {
    const [text, mermaid, dot, json, short] = await Promise.all([
      dhaara(['describe', shop]),
      dhaara(['describe', shop, '--format', 'mermaid']),
      dhaara(['describe', shop, '--format', 'dot']),
      dhaara(['describe', shop, '--format', 'json']),
      dhaara(['describe', resolve(shop, '..'), '--json']),
    ])
    assert.match(text.out, /^Topologies:\n {3}Sub-topology: 0\n {4}Source: orders \(topics: \[orders\]\)/)
    assert.match(mermaid.out, /^(flowchart|graph) /)
    assert.match(dot.out, /^digraph /)
    assert.ok(JSON.stringify(JSON.parse(json.out)).includes('"spent"'))
    assert.equal(short.out, json.out)
    for (const { code, err } of [text, mermaid, dot, json, short]) assert.deepEqual([code, err], [0, ''])
  }).timeout(60_000)

  it('shows what a deploy would change, and says whether the state would be taken', async () => {
    const { out } = await dhaara(['describe', shop, '--json'])
    const deployed = folder.write('deployed.json', out)
    const same = await dhaara(['describe', shop, '--diff', deployed])
    assert.deepEqual([same.code, same.out], [0, 'Nothing changes.\n'])
    folder.write('deployed.json', out.replaceAll('"spent"', '"spendings"'))
    const other = await dhaara(['describe', shop, '--diff', deployed])
    assert.equal(other.code, 2)
    assert.match(other.out, /^! store 'spendings' \(\w+\) is gone/)
    folder.write('deployed.json', '{}')
    const wrong = await dhaara(['describe', shop, '--diff', deployed])
    assert.match(wrong.err, /DHAARA_OPTION: --diff: found something else in .*deployed\.json/)
  }).timeout(60_000)

  const modules: readonly [what: string, source: string, says: RegExp][] = [
    ['that does not parse', 'export default {', /DHAARA_MODULE: .*could not be loaded: SyntaxError/],
    ['with an enum', 'enum A { B }\nexport default A', /no enum, namespace or parameter property/],
    ['that throws', "throw new Error('no luck')", /could not be loaded: Error: no luck[\s\S]*at: .*bad\.ts:1/],
    ['that imports what is not there', "import './none.ts'", /DHAARA_MODULE: .*Cannot find module/],
    ['without a default export', 'export const topology = 1', /it exports topology and no default/],
    ['without exports', 'export {}', /it exports nothing/],
    ['whose default is something else', 'export default 42', /its default export is number/],
    [
      'whose function throws',
      "export default () => { throw new TypeError('x') }",
      /default function .* threw TypeError: x/,
    ],
    [
      'with a builder that was not built',
      `import { StreamsBuilder } from ${library}\nexport default new StreamsBuilder()`,
      /is a StreamsBuilder; export builder\.build\(\)/,
    ],
    [
      'whose topology has problems, all of which are told',
      `import { StreamsBuilder, serdes } from ${library}
       const b = new StreamsBuilder()
       b.stream('in', { value: serdes.json<{ x: string }>() }).groupBy((v) => v.x).count().toStream().to('out', {})
       b.stream('other', {}).to('out2', {})
       export default b.build()`,
      /DHAARA_TOPOLOGY[\s\S]*DHAARA_SERDE_MISSING[\s\S]*out[\s\S]*out2/,
    ],
  ]
  for (const [what, source, says] of modules) {
    it(`refuses a module ${what}`, async () => {
      const { code, out, err } = await dhaara(['describe', folder.write('bad.ts', source)])
      assert.match(err, says)
      assert.equal(out, '')
      assert.equal(code, 2)
    })
  }
})
