import assert from 'node:assert/strict'
import type { DhaaraError } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { type Kind, kinds, topologyOf } from './user-errors.ts'

const good = [
  ['a', 'one', 10],
  ['b', 'two', 11],
  ['a', 'three', 12],
] as const
const bad = ['a', 'boom', 11] as const

/** Sends, and takes what is thrown. */
function run(kind: Kind, records: readonly (readonly [string, string, number])[], options: object) {
  using driver = new TopologyTestDriver(topologyOf(kind), options)
  const errors: DhaaraError[] = []
  const attempt = (act: () => void) => {
    try {
      act()
    } catch (error) {
      errors.push(error as DhaaraError)
    }
  }
  for (const [key, value, timestamp] of records) attempt(() => driver.input('in').send(value, { key, timestamp }))
  attempt(() => driver.end())
  const rows = driver
    .output('out')
    .readAll()
    .map(({ key, value, timestamp }) => ({ key, value, timestamp }))
  return { errors, rows }
}

describe('an exception in a user function', () => {
  for (const kind of kinds) {
    it(`of the kind ${kind.name} names step, record and line, and keeps nothing else from being done`, () => {
      for (const options of [{}, { codegen: false }]) {
        const given =
          kind.at === undefined ? [good[0], good[1], bad, good[2]] : [...good, ['a', 'boom', kind.at] as const]
        const { errors, rows } = run(kind, given, options)
        const [error] = errors
        assert.ok(error !== undefined, 'nothing was thrown')
        assert.equal(error.code, kind.code ?? 'DHAARA_USER_CODE', error.message)
        assert.match(error.step ?? '', new RegExp(kind.step))
        assert.match(error.message, /it went boom/)
        assert.match(
          error.message,
          kind.timed ? /outside of any record/ : kind.at === undefined ? / in\[0\] offset 2\b/ : / in\[0\] offset 3\b/,
        )
        const stacks = [
          error.stack,
          (error.cause as Error).stack,
          ((error.cause as Error).cause as Error | undefined)?.stack,
        ]
        assert.match(stacks.join('\n'), /user-errors\.ts:\d+/)
        assert.equal(errors.length, 1)
        assert.deepEqual(rows, run(kind, good, options).rows)
      }
    })
  }
})
