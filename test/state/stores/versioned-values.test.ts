import assert from 'node:assert/strict'
import { serdeValues, timestampOf } from '../../../src/state/stores/index.ts'

const json = (version?: number) => ({
  ...(version === undefined ? {} : { version }),
  serialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  deserialize: (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString()),
  migrate: (old: unknown, from: number): unknown => ({ old, from }),
})

describe('values with a version', () => {
  it('say in their row which they are of, beside their timestamp', () => {
    for (const version of [undefined, 0, 1, 300, 65535]) {
      for (const ts of [0, 1, 1_700_000_000_000]) {
        const row = serdeValues(json(version), 's').encode('x', ts)
        assert.equal(timestampOf(row), ts)
        assert.equal(serdeValues(json(version), 's').decode(row), 'x')
        const other = serdeValues(json(2), 's').decode(row)
        assert.deepEqual(other, { old: 'x', from: version ?? 0 })
      }
    }
  })
})
