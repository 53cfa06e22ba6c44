import assert from 'node:assert/strict'
import type { ImportException, Knot } from '../../scripts/import-rules.ts'
import { layerRules } from '../../scripts/import-rules.ts'
import { checkImports, findImports } from '../../scripts/lint-imports.ts'

/** Problems of a file that imports one other. */
const problemsOf = (from: string, to: string, type = false): string[] => {
  const up = '../'.repeat(from.split('/').length - 1)
  return checkImports(
    new Map([[from, `import ${type ? 'type ' : ''}{ x } from '${up || './'}${to}'\n`]]),
    layerRules,
    [],
    [],
  )
}

describe('import rules', () => {
  const allowed: readonly [from: string, to: string][] = [
    ['src/dsl/stream.ts', 'src/errors/index.ts'],
    ['src/dsl/plan/nodes.ts', 'src/dsl/serdes/types.ts'],
    ['src/engine/plan/compile.ts', 'src/dsl/plan/index.ts'],
    ['src/engine/runtime/tasks/task.ts', 'src/connectors/broker/log.ts'],
    ['src/connectors/kafka/fetch.ts', 'src/connectors/broker/log.ts'],
    ['src/connectors/kafka/fetch.ts', 'src/connectors/kafka/frames.ts'],
    ['src/connectors/embedded/log.ts', 'src/state/backend.ts'],
    ['src/testing/driver.ts', 'src/engine/index.ts'],
    ['src/index.ts', 'src/connectors/embedded/index.ts'],
    ['src/cli/main.ts', 'src/index.ts'],
    ['src/cli/job.ts', 'src/engine/app/app.ts'],
    ['src/http/rows.ts', 'src/engine/query/index.ts'],
    ['src/cli/output/tail.ts', 'src/connectors/broker/log.ts'],
    ['src/cli/commands/topics.ts', 'src/connectors/embedded/index.ts'],
    ['examples/upi/main.ts', 'src/testing/index.ts'],
    ['bench/main.ts', 'bench/harness/runner.ts'],
    ['bench/suites/x.ts', 'src/engine/runtime/tasks/task.ts'],
  ]
  for (const [from, to] of allowed) {
    it(`lets ${from} import ${to}`, () => assert.deepEqual(problemsOf(from, to), []))
  }

  const forbidden: readonly [from: string, to: string][] = [
    ['src/errors/error.ts', 'src/dsl/stream.ts'],
    ['src/dsl/stream.ts', 'src/engine/index.ts'],
    ['src/dsl/stream.ts', 'src/state/backend.ts'],
    ['src/state/backend.ts', 'src/engine/index.ts'],
    ['src/state/codec.ts', 'src/dsl/serdes/types.ts'],
    ['src/engine/runtime/tasks/task.ts', 'src/connectors/kafka/fetch.ts'],
    ['src/connectors/broker/log.ts', 'src/connectors/embedded/log.ts'],
    ['src/connectors/kafka/fetch.ts', 'src/connectors/embedded/log.ts'],
    ['src/connectors/kafka/fetch.ts', 'src/engine/index.ts'],
    ['src/testing/driver.ts', 'src/cli/main.ts'],
    ['src/index.ts', 'src/cli/main.ts'],
    ['src/cli/main.ts', 'src/testing/index.ts'],
    ['src/engine/app/app.ts', 'src/cli/job.ts'],
    ['src/engine/runtime/tasks/task.ts', 'src/http/server.ts'],
    ['src/http/server.ts', 'src/connectors/embedded/index.ts'],
    ['examples/upi/main.ts', 'src/cli/program.ts'],
    ['src/console/page.ts', 'src/state/backend.ts'],
    ['examples/upi/main.ts', 'src/dsl/stream.ts'],
    ['bench/suites/x.ts', 'examples/flipkart/topology.ts'],
  ]
  for (const [from, to] of forbidden) {
    it(`refuses that ${from} imports ${to}`, () => {
      const problems = problemsOf(from, to)
      assert.equal(problems.length, 1)
      assert.match(problems[0]!, new RegExp(`^${from}:1 imports ${to}; `))
    })
  }

  it('lets state import the types of serdes, and no more of the DSL', () => {
    assert.deepEqual(problemsOf('src/state/codec.ts', 'src/dsl/serdes/types.ts', true), [])
    assert.equal(problemsOf('src/state/codec.ts', 'src/dsl/plan/nodes.ts', true).length, 1)
  })

  it('leaves out what an exception names, and reports an exception that nothing needs', () => {
    const exception: ImportException = { from: 'src/dsl/a.ts', to: 'src/engine/b.ts', reason: 'a test' }
    const source = `import { b } from '../engine/b.ts'\n`
    assert.deepEqual(checkImports(new Map([['src/dsl/a.ts', source]]), layerRules, [exception], []), [])
    assert.match(
      checkImports(new Map(), layerRules, [exception], [])[0]!,
      /src\/dsl\/a\.ts -> src\/engine\/b\.ts is not needed/,
    )
  })

  const [a, b] = [`import { b } from './b.ts'\n`, `import type { A } from './a.ts'\n`]
  const knot: Knot = { files: ['src/dsl/a.ts', 'src/dsl/b.ts'], reason: 'a test' }

  it('refuses circles of values', () => {
    const files = new Map([
      ['src/dsl/a.ts', a],
      ['src/dsl/b.ts', `import { c } from './c.ts'\n`],
      ['src/dsl/c.ts', `export { a } from './a.ts'\n`],
    ])
    assert.deepEqual(checkImports(files, layerRules, [], []), [
      'src/dsl/a.ts: imports go in a circle: src/dsl/a.ts -> src/dsl/b.ts -> src/dsl/c.ts -> src/dsl/a.ts',
    ])
  })

  it('refuses circles of types outside of a knot, and circles of values inside', () => {
    const circle = ['src/dsl/a.ts: imports go in a circle: src/dsl/a.ts -> src/dsl/b.ts -> src/dsl/a.ts']
    const files = (first: string, second: string) =>
      new Map([
        ['src/dsl/a.ts', first],
        ['src/dsl/b.ts', second],
      ])
    const types = files(`import type { B } from './b.ts'\n`, b)
    assert.deepEqual(checkImports(types, layerRules, [], []), circle)
    assert.deepEqual(checkImports(types, layerRules, [], [knot]), [])
    const values = files(a, `import { a } from './a.ts'\n`)
    assert.deepEqual(checkImports(values, layerRules, [], [])[0], circle[0])
    assert.deepEqual(checkImports(values, layerRules, [], [knot]).at(-1), circle[0])
  })

  it('reports a knot that nothing needs', () => {
    assert.match(checkImports(new Map(), layerRules, [], [knot])[0]!, /a\.ts, src\/dsl\/b\.ts go in no circle; remove/)
  })
})

describe('findImports', () => {
  it('sees statements over several lines, re-exports, side effects and dynamic imports', () => {
    const source = [
      `import a, {`,
      `  type B,`,
      `} from './a.ts'`,
      `import type { C } from './c.ts'`,
      `import './effect.ts'`,
      `export * from './all.ts'`,
      `export type { D } from './d.ts'`,
      `const later = await import('./later.ts')`,
    ].join('\n')
    assert.deepEqual(findImports(source), [
      { specifier: './a.ts', line: 1, typeOnly: false },
      { specifier: './c.ts', line: 4, typeOnly: true },
      { specifier: './effect.ts', line: 5, typeOnly: false },
      { specifier: './all.ts', line: 6, typeOnly: false },
      { specifier: './d.ts', line: 7, typeOnly: true },
      { specifier: './later.ts', line: 8, typeOnly: false },
    ])
  })

  it('does not see comments, strings, or exports of things called from', () => {
    const source = [
      `/**`,
      ` * import { a } from './a.ts'`,
      ` * await import('./b.ts')`,
      ` */`,
      `// import { c } from './c.ts'`,
      `const text = "import { d } from './d.ts'"`,
      `export const from = './e.ts'`,
      `export function read(from: string) { return from + './f.ts' }`,
    ].join('\n')
    assert.deepEqual(findImports(source), [])
  })
})
