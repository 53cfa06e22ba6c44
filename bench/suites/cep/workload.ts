import { type PatternEvent, patternStart } from '../../workload/patterns.ts'
import { Random } from '../../workload/random.ts'

/** While partial matches are begun: ms between two events. Afterwards one event in 20 is 1 ms after the other, an A. */
const spread = 20

/** How long an A must stay alive, so that there are `live` of each key. */
export const lifeOf = (keys: number, live: number): number => keys * live * spread

/**
 * First an A for each partial match, then 5 % A, 1 in 10,000 B, else D, 1 ms apart: one A begins where another one ends.
 */
export function liveGenerator(keys: number, live: number, seed: number): () => PatternEvent {
  const random = new Random(seed)
  let id = 0
  let at = patternStart
  return () => {
    const loading = id < keys * live
    at += loading ? spread : 1
    const draw = random.below(10_000)
    const type = loading || draw < 500 ? 'A' : draw === 500 ? 'B' : 'D'
    return { id: id++, key: `k-${random.below(keys)}`, type, value: random.below(1000), at }
  }
}
