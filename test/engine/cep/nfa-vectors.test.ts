import assert from 'node:assert/strict'
import { PatternMatcher } from '../../../src/engine/cep/index.ts'
import { DhaaraError } from '../../../src/errors/index.ts'
import { allIds, idSet, idsByName, multiset, patternOf, skipOf, type Vector, vectors } from './vectors.ts'

const spell = (ids: Readonly<Record<string, readonly number[]>>): string =>
  JSON.stringify(Object.entries(ids).toSorted(([a], [b]) => (a < b ? -1 : 1)))

function run(vector: Vector) {
  const matcher = new PatternMatcher<any, any>(patternOf(vector), {
    skip: skipOf(vector),
    timeouts: vector.handleTimeout === true,
  })
  const matches: object[] = []
  const timeouts: { match: Record<string, number[]>; ts: number }[] = []
  const take = (result: ReturnType<typeof matcher.advanceTime>): void => {
    matches.push(...result.matches)
    timeouts.push(...result.timedOut.map(({ partial, at }) => ({ match: idsByName(partial), ts: at })))
  }
  for (const event of vector.events) take(matcher.process(event, event.ts))
  if (vector.finalAdvance !== undefined) take(matcher.advanceTime(vector.finalAdvance))
  return { matches, timeouts, matcher }
}

describe('conformance with Flink CEP: matcher', () => {
  for (const vector of vectors.vectors.filter((v) => v.kind === 'nfa')) {
    it(vector.id, () => {
      if (vector.expectedError !== undefined) {
        const isSkip = (e: unknown): boolean => e instanceof DhaaraError && e.code === 'DHAARA_PATTERN_SKIP'
        assert.throws(() => run(vector), isSkip)
        return
      }
      const { matches, timeouts, matcher } = run(vector)
      const found = matches.map(allIds)
      if (vector.expected !== undefined) {
        const allowed = [vector.expected, vector.expectedStrictGap].filter((e) => e !== undefined).map(multiset)
        const given = multiset(found)
        const best = allowed.find((e) => JSON.stringify(e) === JSON.stringify(given)) ?? allowed[0]
        assert.deepEqual(given, best)
        if (vector.flags?.['matchOrderAsserted'] === true) {
          assert.deepEqual(found.map(idSet), vector.expected.map(idSet))
        }
      }
      if (vector.flags?.['byNameAsserted'] === true) {
        assert.deepEqual(
          matches.map((m) => spell(idsByName(m))).toSorted(),
          (vector.expectedByName ?? []).map(spell).toSorted(),
        )
      }
      if (vector.expectedTimeouts !== undefined) {
        const tell = (all: readonly { match: Readonly<Record<string, readonly number[]>>; ts: number }[]) => {
          const told = all.map(({ match, ts }) => `${ts} ${spell(match)}`).toSorted()
          return vector.flags?.['timeoutsAreASet'] === true ? [...new Set(told)] : told
        }
        assert.deepEqual(tell(timeouts), tell(vector.expectedTimeouts))
      }
      // What the source counts besides its start state follows from how its automaton is built.
      if (vector.expectedLivePartialsAfter !== undefined && vector.unsure !== true) {
        assert.equal(matcher.livePartials, vector.expectedLivePartialsAfter)
      }
      if (vector.expectedRetainedEvents !== undefined) {
        assert.equal(matcher.retainedEvents, vector.expectedRetainedEvents)
      }
    })
  }
})
