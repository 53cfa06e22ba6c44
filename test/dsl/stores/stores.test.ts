import assert from 'node:assert/strict'
import { storeSpec, storeVault } from '../../../src/dsl/stores/index.ts'
import { serdes, stores } from '../../../src/index.ts'
import { refusal } from '../plan.ts'

const key = serdes.string()
const value = serdes.number()

describe('stores', () => {
  it('keep their own serdes', () => {
    const handle = stores.keyValue('spent', { key, value, ttl: '7d', backend: 'memory' })
    assert.deepEqual({ name: handle.name, kind: handle.kind }, { name: 'spent', kind: 'keyValue' })
    const { spec, owned } = storeVault.open(handle)
    assert.deepEqual([spec.key, spec.value, spec.ttl, spec.backend, owned], [key, value, 604_800_000, 'memory', false])
  })

  it('of every kind', () => {
    const open = (handle: unknown) => storeVault.open(handle).spec
    assert.equal(open(stores.versioned('v', { key, value, history: '1h' })).history, 3_600_000)
    assert.equal(open(stores.list('l', { key, value })).kind, 'list')
    assert.equal(open(stores.window('w', { key, value, retention: '1d' })).retention, 86_400_000)
  })

  it('refuse what is missing', () => {
    assert.throws(
      () => stores.list('l', { key } as never),
      refusal('DHAARA_SERDE_MISSING', /stores.list "l" value: found undefined/),
    )
    assert.throws(() => stores.versioned('v', { key, value } as never), refusal('DHAARA_DURATION', /history/))
    assert.throws(() => stores.window('w', { key, value } as never), refusal('DHAARA_DURATION', /retention/))
    assert.throws(
      () => storeVault.open({ name: 'x', kind: 'list' }),
      refusal('DHAARA_OPTION', /expected a store handle/),
    )
  })
})

describe('the store of a step', () => {
  it('is named after the step unless the user names it', () => {
    assert.deepEqual(
      [storeSpec(undefined, { step: 's' }).name, storeSpec(undefined, { step: 's' }).named],
      ['s', false],
    )
    assert.deepEqual([storeSpec('x', { step: 's' }).name, storeSpec({ name: 'x' }, { step: 's' }).named], ['x', true])
  })

  it('takes its options', () => {
    const spec = storeSpec({ ttl: '1s', ttlClock: 'wall', backend: 'memory' }, { step: 's', value })
    assert.deepEqual([spec.ttl, spec.ttlClock, spec.backend, spec.value], [1000, 'wall', 'memory', value])
    assert.equal(storeSpec({ kind: 'versioned', history: '1m' }, { step: 's' }).history, 60_000)
    assert.equal(storeSpec({ retention: '1m' }, { step: 's', kind: 'window' }).retention, 60_000)
  })

  it('refuses options that contradict one another', () => {
    const refused = (given: any, kind?: 'window') =>
      assert.throws(
        () => storeSpec(given, { step: 's', ...(kind && { kind }) }),
        refusal('DHAARA_OPTION', /the store of s: .*expected/),
      )
    refused({ kind: 'versioned' })
    refused({ history: '1h' })
    refused({ kind: 'versioned', history: '1h', ttl: '1h' })
    refused({ retention: '1h' })
    refused({ kind: 'queue' })
    refused({ backend: 'tape' })
    refused({ ttl: '1h' }, 'window')
    refused({ kind: 'keyValue' }, 'window')
    refused({ indexes: { city: 'city' } })
  })
})
