import * as fc from 'fast-check'
import type { World, WorldOptions } from './group-world.ts'

export const options: fc.Arbitrary<WorldOptions> = fc.record({
  workers: fc.integer({ min: 1, max: 3 }),
  partitions: fc.integer({ min: 1, max: 4 }),
  ringBytes: fc.constantFrom(1024, 4096, 1 << 20),
  creditBytes: fc.constantFrom(1, 300, 1 << 20),
  cacheBytes: fc.constantFrom(0, 2000, 1 << 20),
  batchSize: fc.integer({ min: 1, max: 60 }),
  mostWaiting: fc.constantFrom(1, 20, 16_384),
  maxTaskIdle: fc.constantFrom(1000, Number.POSITIVE_INFINITY),
})

/** What happens next: a kind, and whom it happens to. Running is what happens most. */
const step = fc.record({
  kind: fc.constantFrom('run', 'run', 'run', 'open', 'obey', 'obey', 'handOver', 'handOver', 'write', 'crash'),
  worker: fc.nat(2),
})
export type Act = typeof step extends fc.Arbitrary<infer T> ? T : never

export const steps = fc.array(step, { maxLength: 300, size: 'max' })

export function act(world: World, kind: Act['kind'], worker: number): void {
  if (kind === 'open' || kind === 'write' || kind === 'crash') world[kind]()
  else world[kind](worker)
}
