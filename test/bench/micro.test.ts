import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { codecs } from '../../bench/suites/micro/codecs.ts'
import { patterns } from '../../bench/suites/micro/patterns.ts'
import { stores } from '../../bench/suites/micro/stores.ts'
import { time } from '../../bench/suites/micro/time.ts'

describe('micro benchmarks', () => {
  for (const one of [...codecs, ...stores, ...time, ...patterns]) {
    it(`${one.name} does its work`, () => assert.notEqual(one.run() ?? 0, 0))
  }

  it('print one object a line', () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      ['bench/main.ts', 'micro', 'time', '--json', '--seconds', '0.01'],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(
      lines.map(({ subject }) => subject),
      time.map(({ name }) => name),
    )
    for (const { recordsPerSecond } of lines) assert.ok((recordsPerSecond as number) > 0)
  })

  it('say which groups there are', () => {
    const { stderr, status } = spawnSync(process.execPath, ['bench/main.ts', 'micro', 'tea'], { encoding: 'utf8' })
    assert.deepEqual([status, stderr], [2, "There is no group 'tea'; there are: codecs, stores, time, patterns\n"])
  })
})
