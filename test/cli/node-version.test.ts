import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { runsOn } from '../../src/cli/node-version.ts'

describe('the versions of Node that the command line runs on', () => {
  it('are those that the package names', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } }
    assert.equal(engines.node, '^22.22.0 || >=24.6.0')
    for (const version of ['22.22.0', '22.30.1', '24.6.0', '24.21.0', '25.0.0', '26.10.0', process.versions.node])
      assert.equal(runsOn(version), true, version)
    for (const version of ['18.20.0', '20.20.2', '22.21.9', '23.11.0', '24.5.0'])
      assert.equal(runsOn(version), false, version)
  })
})
