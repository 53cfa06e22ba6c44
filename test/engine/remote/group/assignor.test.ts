import assert from 'node:assert/strict'
import fc from 'fast-check'
import { awayOf } from '../../../../src/engine/remote/group/away.ts'
import { assign, type MemberState } from '../../../../src/engine/remote/group/assignor.ts'

const options = { standbys: 0, stateful: () => true }
const member = (name: string, running: string[] = [], local: Record<string, number> = {}): MemberState => ({
  member: name,
  running,
  local,
})
const tasks = (n: number): string[] => Array.from({ length: n }, (_, i) => `0_${i}`)

describe('who runs which task', () => {
  it('is shared equally, and goes to where state is', () => {
    const told = assign(tasks(4), [member('b', [], { '0_0': 5, '0_3': 9 }), member('a', [], { '0_3': 4 })], options)
    assert.deepEqual(told.get('b')?.tasks.toSorted(), ['0_0', '0_3'])
    assert.deepEqual(told.get('a')?.tasks.toSorted(), ['0_1', '0_2'])
  })

  it('stays where it runs as long as that is balanced', () => {
    const told = assign(tasks(4), [member('a', ['0_2', '0_3']), member('b', ['0_0', '0_1'])], options)
    assert.deepEqual(told.get('a')?.tasks, ['0_2', '0_3'])
    assert.deepEqual(told.get('b')?.tasks, ['0_0', '0_1'])
  })

  it('is told to nobody while its old owner has to let go', () => {
    const told = assign(tasks(2), [member('a', ['0_0', '0_1']), member('b')], options)
    assert.equal(told.get('a')?.tasks.length, 1)
    assert.deepEqual(told.get('b'), { tasks: [], standbys: [], warming: [], settled: false })
  })

  it('stays with its old owner until its state is with the new one', () => {
    const local = { '0_0': 1e6, '0_1': 1e6 }
    const cold = assign(tasks(2), [member('a', ['0_0', '0_1'], local), member('b')], options)
    assert.equal(cold.get('a')?.tasks.length, 2)
    assert.equal(cold.get('b')?.warming.length, 1)
    assert.deepEqual(cold.get('b')?.standbys, cold.get('b')?.warming)
    const moving = cold.get('b')?.warming[0] as string
    const warm = assign(
      tasks(2),
      [member('a', ['0_0', '0_1'], local), member('b', [], { [moving]: 1e6 - 10 })],
      options,
    )
    assert.equal(warm.get('a')?.tasks.length, 1)
    assert.deepEqual(warm.get('b')?.tasks, [])
  })

  it('has copies elsewhere, as many as are asked for and as there are others', () => {
    const told = assign(tasks(3), [member('a'), member('b'), member('c')], { ...options, standbys: 1 })
    for (const [name, { tasks: own, standbys }] of told) {
      assert.equal(standbys.length, 1, name)
      assert.ok(!own.includes(standbys[0] as string))
    }
    assert.equal(new Set([...told.values()].flatMap(({ standbys }) => standbys)).size, 3)
    const alone = assign(tasks(3), [member('a')], { ...options, standbys: 2 })
    assert.deepEqual(alone.get('a')?.standbys, [])
  })

  it('is kept for whoever is away, whoever was told last; and is theirs again when they are back', () => {
    const hosts = [
      { instance: 'A', tasks: ['0_0', '0_1'] },
      { instance: 'B', tasks: ['0_2', '0_3'] },
    ]
    const old = { generation: 3, hosts: [{ instance: 'A', tasks: tasks(4) }], away: [] }
    const a = { ...member('a', ['0_0', '0_1']), instance: 'A', known: { generation: 7, hosts, away: [] } }
    const c = { ...member('c'), instance: 'C', known: old }
    const first = awayOf([c, a], 60_000)
    assert.deepEqual(first.away, [{ instance: 'B', tasks: ['0_2', '0_3'], ms: 60_000 }])
    const kept = new Set(first.away.flatMap((one) => one.tasks))
    const told = assign(tasks(4), [c, a], { ...options, kept })
    assert.deepEqual([...told.values()].flatMap((one) => one.tasks).sort(), ['0_0'])
    assert.equal(told.get('a')?.settled, false)

    const later = { ...a, known: { generation: 8, hosts: [{ instance: 'A', tasks: ['0_0'] }], away: first.away } }
    const b = { ...member('b'), instance: 'B' }
    const { away, back } = awayOf([later, b], 60_000)
    assert.deepEqual(away, [])
    // state of its tasks lies with the other one as well
    const rich = { ...later, local: { '0_2': 9, '0_3': 9 } }
    const again = assign(tasks(4), [rich, b], { ...options, back })
    assert.deepEqual(again.get('b')?.tasks.toSorted(), ['0_2', '0_3'])

    const over = { ...later, known: { ...later.known, away: [{ instance: 'B', tasks: ['0_2', '0_3'], ms: 0 }] } }
    assert.deepEqual(awayOf([over], 60_000).away, [])
    assert.deepEqual(awayOf([a], 0).away, [])
  })

  /** Rounds of telling and letting go, as members do it. */
  function settle(all: readonly string[], members: MemberState[]): { rounds: number; members: MemberState[] } {
    for (let rounds = 1; ; rounds++) {
      const told = assign(all, members, options)
      const next = members.map(({ member: name, local }) => {
        const { tasks: own, warming } = told.get(name) as { tasks: readonly string[]; warming: readonly string[] }
        return member(name, [...own], { ...local, ...Object.fromEntries([...own, ...warming].map((t) => [t, 1e6])) })
      })
      const running = next.flatMap((one) => one.running)
      assert.equal(new Set(running).size, running.length, 'a task of two members')
      if (running.length === all.length && told.values().every(({ warming }) => warming.length === 0))
        return { rounds, members: next }
      assert.ok(rounds < 8, 'it does not settle')
      members = next
    }
  }

  it('settles, balanced, with each task once at any time, whoever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), { minLength: 1, maxLength: 5 }),
        (count, phases) => {
          const all = tasks(count)
          let members: MemberState[] = []
          for (const phase of phases) {
            members = phase.map((n) => members.find((one) => one.member === `m${n}`) ?? member(`m${n}`))
            members = settle(all, members).members
            const counts = members.map(({ running }) => running.length)
            assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts))
          }
        },
      ),
    )
  })

  it('moves no task when nobody comes or goes', () => {
    const first = settle(tasks(7), [member('a'), member('b'), member('c')])
    const again = settle(tasks(7), first.members)
    assert.equal(again.rounds, 1)
    assert.deepEqual(
      again.members.map(({ running }) => running.toSorted()),
      first.members.map(({ running }) => running.toSorted()),
    )
  })
})
