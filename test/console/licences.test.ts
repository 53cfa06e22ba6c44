import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noticesOf } from '../../scripts/console/licences.ts'

describe('the console: what it is made of', () => {
  it('is told with it, licences and all', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/console/build.ts'], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const text = readFileSync('dist/console/licences.txt', 'utf8')
    for (const part of [
      'preact',
      'uplot',
      '@dagrejs/dagre',
      '@fontsource-variable/instrument-sans',
      '@fontsource/ibm-plex-mono',
    ])
      assert.match(text, new RegExp(`^${part} \\d+\\.\\d+\\.\\d+ \\(`, 'm'))
    assert.match(text, /SIL OPEN FONT LICENSE/i)
    assert.match(text, /Permission is hereby granted/)
  }).timeout(120_000)

  it('is refused where somebody’s licence is not there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dhaara-licences-'))
    try {
      const place = join(folder, 'node_modules/unlicensed')
      mkdirSync(place, { recursive: true })
      writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'unlicensed', version: '1.0.0' }))
      assert.throws(() => noticesOf([join(place, 'index.js')]), /unlicensed brings no licence file/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
