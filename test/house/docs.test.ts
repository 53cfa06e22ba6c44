import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'

interface Block {
  /** `docs/guide.md:12`, where the code starts. */
  readonly at: string
  readonly file: string
  readonly code: string
}

const dir = resolve('.cache/docs')

/**
 * The ```ts blocks of a page; those marked `no-check` are left out. A block that begins with `// name.ts` is that file for
 * the others of its page.
 */
function blocksOf(page: string): Block[] {
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(/^```(ts|typescript)([^\n]*)\n(.*?)^```/gms)]
    .filter((match) => !match[2]!.includes('no-check'))
    .map((match) => {
      const line = text.slice(0, match.index).split('\n').length + 1
      const name = /^\/\/ (\S+\.ts)\n/.exec(match[3]!)?.[1] ?? `line-${line}.ts`
      return { at: `${page}:${line}`, file: `${basename(page, '.md')}/${name}`, code: match[3]! }
    })
}

/** What tsc says of each file, by name; what it says of none stands under ''. */
function typeCheck(blocks: readonly Block[]): Map<string, string[]> {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  // `export {}` makes each block a module of its own.
  for (const block of blocks) {
    mkdirSync(dirname(`${dir}/${block.file}`), { recursive: true })
    writeFileSync(`${dir}/${block.file}`, `${block.code}\nexport {}\n`)
  }
  const paths = {
    dhaara: [resolve('src/index.ts')],
    'dhaara/testing': [resolve('src/testing/index.ts')],
    'dhaara/connectors': [resolve('src/connectors/index.ts')],
    'dhaara/rx': [resolve('src/connectors/rx/index.ts')],
  }
  const config = { extends: resolve('tsconfig.json'), compilerOptions: { paths }, include: ['**/*.ts'] }
  writeFileSync(`${dir}/tsconfig.json`, JSON.stringify(config))
  const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', dir], { encoding: 'utf8' })
  const problems = new Map<string, string[]>()
  const names = new Set(blocks.map((block) => block.file))
  for (const line of (tsc.stdout + tsc.stderr).split('\n')) {
    const path = /^(.+?)\(\d+,\d+\): error /.exec(line)?.[1]
    const file = path === undefined ? '' : relative(dir, resolve(path)).replaceAll('\\', '/')
    const name = names.has(file) ? file : ''
    // Errors in the library itself are the business of `npm run types`.
    if (line.trim() !== '' && (name !== '' || path === undefined))
      problems.set(name, [...(problems.get(name) ?? []), line])
  }
  return problems
}

const blocks = ['README.md', ...globSync('docs/**/*.md').toSorted()].flatMap(blocksOf)

if (blocks.length > 0) {
  describe('code in the documentation', () => {
    let problems: Map<string, string[]>
    before(function () {
      this.timeout(120_000)
      problems = typeCheck(blocks)
    })
    it('is seen by the type checker', () => assert.deepEqual(problems.get('') ?? [], []))
    for (const block of blocks) {
      it(`${block.at} type-checks`, () => assert.deepEqual(problems.get(block.file) ?? [], []))
    }
  })
}
