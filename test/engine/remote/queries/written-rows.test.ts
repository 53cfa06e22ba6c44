import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Looked, type WatchedStores } from '../../../../src/engine/remote/queries/written-rows.ts'

const none: ReadonlySet<number> = new Set()
const stores = (...numbers: number[]): WatchedStores => ({ numbers: new Set(numbers), before: none })
const numbersOf = (looked: Looked): number[] => [...(looked.stores?.numbers ?? [])]

describe('Looked', () => {
  it('keeps what was asked for last, though an earlier one still waits for a commit', async () => {
    const looked = new Looked()
    const commit = Promise.withResolvers<void>()
    let committing: Promise<void> | undefined = commit.promise
    const first = looked.at(stores(1), () => committing)
    // the commit is over, and whoever waits for it has not gone on yet
    committing = undefined
    commit.resolve()
    const second = looked.at(stores(1, 2), () => committing)
    await Promise.all([first, second])
    assert.deepEqual(numbersOf(looked), [1, 2])
  })

  it('says that it looks only when no commit is under way that was sealed before', async () => {
    const looked = new Looked()
    const commit = Promise.withResolvers<void>()
    let told = false
    const asked = looked.at(stores(7), () => commit.promise).then(() => (told = true))
    await new Promise(setImmediate)
    assert.equal(told, false)
    commit.resolve()
    await asked
  })

  it('looks, once it has said so, at all that somebody still watches, whoever comes and goes', async () => {
    // +n: somebody begins to watch store n; -n: ends; 0: a commit ends and another one begins
    const steps = fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const looked = new Looked()
        let commit = Promise.withResolvers<void>()
        let committing: Promise<void> | undefined = commit.promise
        const watched = new Set<number>()
        const sure = new Set<number>()
        const told: Promise<void>[] = []
        for (const step of all) {
          if (step === 0) {
            committing = undefined
            commit.resolve()
            await commit.promise
            for (const store of sure) assert.ok(numbersOf(looked).includes(store))
            commit = Promise.withResolvers()
            committing = commit.promise
          } else {
            if (step > 0) watched.add(step)
            else {
              watched.delete(-step)
              sure.delete(-step)
            }
            const asked = looked.at(stores(...watched), () => committing)
            told.push(asked.then(() => void (step > 0 && watched.has(step) && sure.add(step))))
          }
        }
        committing = undefined
        commit.resolve()
        await Promise.all(told)
        assert.deepEqual(new Set(numbersOf(looked)), watched)
      }),
    )
  })
})
