/** Tests that `npm test` leaves to rings of their own: what they need, or their time, is more than every change can wait for. */
export const rings = {
  /** Whole programs and real servers: the command line, the packed package, the examples on workers, every page of the docs. */
  programs: [
    'test/cli/**/*.test.ts',
    'test/package/**/*.test.ts',
    'test/examples/on-workers.test.ts',
    'test/examples/hotstar.test.ts',
    'test/house/docs-run.test.ts',
    'test/connectors/files/kill.test.ts',
    'test/connectors/postgres/**/*.test.ts',
    'test/connectors/registry/**/*.test.ts',
    'test/connectors/webhook/**/*.test.ts',
  ],
  /** Apps whose tasks run on threads of their own, that die, stand still, fill their memory, or are asked meanwhile. */
  workers: [
    'test/engine/app/workers/**/*.test.ts',
    'test/engine/app/epochs/memory.test.ts',
    'test/engine/app/topics/topic-pattern.test.ts',
    'test/engine/connect/workers.test.ts',
    'test/engine/query/indexes.test.ts',
    'test/engine/query/isolation.test.ts',
    'test/engine/query/min-position.test.ts',
    'test/engine/query/subscribe.test.ts',
    'test/http/admin.test.ts',
    'test/http/slow.test.ts',
    'test/http/worker-metrics.test.ts',
  ],
  /** Searches: the protocol of epochs in every order, random topologies, every user function failing in every way, thousands of requests. */
  searches: [
    'test/proofs/**/*.test.ts',
    'test/engine/semantics/model.test.ts',
    'test/engine/semantics/user-errors/**/*.test.ts',
    'test/engine/query/crashes.test.ts',
    'test/engine/query/linearity/**/*.test.ts',
    'test/http/contract.test.ts',
  ],
  /** That benchmarks measure what they say, and that the Nexmark queries are right. */
  bench: ['test/bench/**/*.test.ts'],
  kafka: ['test/connectors/kafka/cluster/**/*.test.ts'],
  chaos: ['test/connectors/kafka/chaos/**/*.test.ts'],
  console: ['test/console/**/*.test.ts'],
} satisfies Readonly<Record<string, readonly string[]>>
