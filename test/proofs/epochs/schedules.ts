import assert from 'node:assert/strict'
import type { Mutant } from './mutants.ts'
import { checkOutcome } from './oracle.ts'
import type { Setup } from './types.ts'
import { World } from './world.ts'

/** 'a' and 'c' go to consumer 1 (worker 1), 'b' and 'd' to consumer 0 (worker 0); '0.0>1' and '0.1>0' cross threads. */
function group(
  mutant: Mutant | undefined,
  keys: readonly [string, string],
  options: Partial<Setup> = {},
): [World, Setup] {
  const sources = keys.map((all, p) => [...all].map((key, i) => ({ ts: i * 4, key, id: p * 100 + i })))
  const shape = { workers: 2, partitions: 2, stages: 2, k: 3, capacity: 100, budget: 100, sources, invariants: true }
  const setup: Setup = { ...shape, ...options, ...(mutant ? { mutant } : {}) }
  return [new World(setup), setup]
}

const CROSSING = ['0.0>1', '0.1>0'] as const

function receiveAll(world: World): void {
  for (const name of CROSSING) while (world.can('receive', name)) world.do('receive', name)
}

/** Everybody seals. */
const seal = (world: World): World => world.do('open').do('deliver', 0).do('deliver', 1)

/** What is sealed is written; nobody has heard of it. */
function write(world: World): void {
  receiveAll(world)
  world.do('report', 0).do('report', 1).do('beginWrite').do('finishWrite')
}

const commit = (world: World): void => {
  seal(world)
  write(world)
  world.do('deliver', 0).do('deliver', 1)
}

function finish([world, setup]: [World, Setup]): void {
  world.drain()
  checkOutcome(setup, world.db, false)
}

/** The schedules that are known to be dangerous. Each must end well, and no mutant may be allowed to. */
export const SCHEDULES: Record<string, (mutant?: Mutant) => void> = {
  'a consumer held back at the barrier, its producer an epoch ahead: crash after each write': (mutant) => {
    for (const crashAfter of [1, 2, 3, 4]) {
      const run = group(mutant, ['aaaaaaaa', 'bbbb'])
      const [world] = run
      for (let epoch = 1; epoch <= 4; epoch++) {
        world.do('read', '0.0').do('open').do('deliver', 0).do('read', '0.0')
        receiveAll(world)
        while (world.can('apply', '0.0>1')) world.do('apply', '0.0>1')
        world.do('deliver', 1)
        write(world)
        if (epoch === crashAfter) {
          world.do('crash')
          break
        }
        world.do('deliver', 0).do('deliver', 1)
      }
      finish(run)
    }
  },

  'a record of an epoch that its consumer has not entered waits': (mutant) => {
    const run = group(mutant, ['aa', 'b'])
    const [world] = run
    world.do('open').do('deliver', 0).do('read', '0.0')
    receiveAll(world)
    assert.equal(world.can('apply', '0.0>1'), false)
    world.do('deliver', 1)
    assert.equal(world.can('apply', '0.0>1'), true)
    finish(run)
  },

  'sent in e, received before the seal, applied in e + 1: crash after e and after e + 1': (mutant) => {
    const run = group(mutant, ['aab', 'b'])
    const [world] = run
    world.do('read', '0.0').do('receive', '0.0>1')
    seal(world).do('apply', '0.0>1')
    write(world)
    world.do('crash').do('apply', '0.0>1')
    commit(world)
    world.do('crash')
    finish(run)
  },

  'sent in e, received and applied in e + 1, before the marker: crash after e': (mutant) => {
    const run = group(mutant, ['aab', 'b'])
    const [world] = run
    seal(world.do('read', '0.0')).do('receive', '0.0>1').do('apply', '0.0>1')
    write(world)
    world.do('crash')
    finish(run)
  },

  'the part waits for the marker, and the marker for the records before it': (mutant) => {
    const run = group(mutant, ['aa', 'b'])
    const [world] = run
    seal(world.do('read', '0.0').do('read', '0.0'))
    world.do('receive', '0.1>0')
    for (let frames = 0; frames < 3; frames++) {
      assert.equal(world.can('report', 1), false, `handed over with ${frames} of 2 records and the marker received`)
      world.do('receive', '0.0>1')
    }
    write(world)
    world.do('crash')
    finish(run)
  },

  'crash between seal and write, in the write, and after it': (mutant) => {
    for (const written of [0, 1]) {
      const run = group(mutant, ['abab', 'ba'])
      const [world] = run
      commit(world.do('read', '0.0'))
      seal(world.do('read', '0.0').do('read', '0.1')).do('read', '0.0').do('crash')
      seal(world.do('read', '0.0').do('read', '0.1')).do('read', '0.0')
      receiveAll(world)
      world.do('report', 0).do('report', 1).do('beginWrite').do('crash', '', written)
      assert.equal(world.db.epoch, 1 + written)
      finish(run)
    }
  },

  'two sealed epochs unwritten: reads find both, and a crash after the first write keeps the second out': (mutant) => {
    const run = group(mutant, ['bbbbb', 'aa'])
    const [world] = run
    seal(world.do('read', '0.0'))
    seal(world.do('read', '0.0'))
    for (let pick = 0; pick < 4; pick++) world.do('evict', '0.0', pick)
    world.do('read', '0.0')
    assert.deepEqual(world.task(0, 0).store.get('count|b')?.ids, [0, 1, 2])
    receiveAll(world)
    world.do('report', 0).do('report', 0).do('report', 1).do('report', 1)
    world.do('beginWrite').do('finishWrite')
    assert.equal(world.db.epoch, 1)
    world.do('crash')
    finish(run)
  },

  'a prefetch that began before a write ends after it': (mutant) => {
    const run = group(mutant, ['bbb', 'a'])
    const [world] = run
    commit(world.do('read', '0.0'))
    world.do('prefetch', '0.0').do('read', '0.0')
    commit(world)
    world.do('prefetched', 'count|b').do('read', '0.0')
    finish(run)
  },

  'an idle producer of an epoch that is never written makes nothing late': (mutant) => {
    const run = group(mutant, ['aaaaaa', 'aaaaaa'])
    const [world] = run
    world.do('open').do('deliver', 0).do('fallIdle', '0.0').do('announce', '0.0')
    for (let i = 0; i < 5; i++) world.do('read', '0.1').do('apply', '0.1>1')
    world.do('announce', '0.1')
    receiveAll(world)
    for (const name of ['0.0>1', '0.1>1']) while (world.can('apply', name)) world.do('apply', name)
    world.do('deliver', 1)
    write(world)
    world.do('crash')
    finish(run)
  },

  'a worker dies: frames, parts and orders of the old generation still arrive': (mutant) => {
    const run = group(mutant, ['aaa', 'bb'])
    const [world] = run
    commit(world.do('read', '0.0'))
    seal(world.do('read', '0.0').do('read', '0.1')).do('die', 0)
    world.do('deliver', 0).do('read', '0.0')
    assert.equal(world.can('receive', '0.0>1'), true)
    finish(run)
  },

  'a worker dies while its group is being written': (mutant) => {
    const run = group(mutant, ['aaa', 'bb'])
    const [world] = run
    seal(world.do('read', '0.0').do('read', '0.1'))
    receiveAll(world)
    world.do('report', 0).do('report', 1).do('beginWrite').do('die', 1).do('deliver', 0).do('deliver', 1)
    finish(run)
  },

  'new frames are on the wire before the consumer is restored': (mutant) => {
    const run = group(mutant, ['aaaa', 'b'])
    const [world] = run
    commit(world.do('read', '0.0').do('read', '0.0'))
    world.do('die', 1).do('deliver', 0).do('read', '0.0').do('announce', '0.0').do('deliver', 1)
    finish(run)
  },

  'a paused consumer still receives the marker that frees it': (mutant) => {
    const run = group(mutant, ['aaaa', 'bbbb'], { budget: 2, capacity: 1, k: 1 })
    const [world] = run
    world.do('read', '0.0').do('receive', '0.0>1').do('apply', '0.0>1').do('open').do('deliver', 1)
    assert.equal(world.task(1, 1).paused, true)
    world.do('deliver', 0).do('receive', '0.0>1')
    finish(run)
  },
}
