import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const dir = resolve('.cache/docs-run')
const hook = pathToFileURL(resolve('test/house/resolve-package.ts')).href

/** Pages whose examples are whole: they throw where something else comes out than they say. */
const pages = globSync('docs/coming-from-*.md').toSorted()

describe('whole examples of the documentation', () => {
  before(() => {
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
  })

  it('are found', () => assert.equal(pages.length, 3))

  for (const page of pages) {
    const text = readFileSync(page, 'utf8')
    for (const match of text.matchAll(/^```ts\n(.*?)^```/gms)) {
      const line = text.slice(0, match.index).split('\n').length + 1
      it(`${page}:${line} does what it says`, () => {
        const file = `${dir}/${basename(page, '.md')}-${line}.ts`
        writeFileSync(file, `${match[1]}\nexport {}\n`)
        const run = spawnSync(process.execPath, ['--import', hook, file], { encoding: 'utf8', timeout: 60_000 })
        assert.equal(run.status, 0, run.stdout + run.stderr)
      }).timeout(70_000)
    }
  }
})
