import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'

const rows = [...readFileSync('test/README.md', 'utf8').matchAll(/^\| (.+?) +\| `(\S+)` "(.+)" +\|$/gm)]

describe('the rules in test/README.md', () => {
  it('are all there', () => {
    const lines = readFileSync('test/README.md', 'utf8').match(/^\| (?!rule|---)/gm)
    assert.equal(rows.length, lines?.length)
    assert.ok(rows.length > 50)
  })

  for (const [, rule, file = '', title = ''] of rows)
    it(`${rule} has a test`, () => {
      assert.ok(existsSync(`test/${file}`), `there is no test/${file}`)
      assert.ok(readFileSync(`test/${file}`, 'utf8').includes(title), `test/${file} has no "${title}"`)
    })
})
