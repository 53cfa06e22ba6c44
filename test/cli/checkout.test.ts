import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'

describe('the command that was compiled in a checkout', () => {
  it('runs the sources, as the topologies of its examples do', () => {
    // as deep as where it is compiled to
    const folder = '.cache/compiled-cli'
    mkdirSync(folder, { recursive: true })
    for (const file of ['main.ts', 'node-version.ts']) copyFileSync(`src/cli/${file}`, `${folder}/${file}`)
    const args = [`${folder}/main.ts`, 'describe', 'examples/flipkart/topology.ts']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.match(stdout, /flipkart-orders/)
  }).timeout(60_000)
})
