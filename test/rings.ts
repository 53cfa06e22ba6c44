/** Tests that `npm test` leaves to rings of their own: what they need, or their time, is more than every change can wait for. */
export const rings = {
  /** Whole programs: the command line, the packed package, the examples on workers, functions that do not come back. */
  programs: [
    'test/cli/**/*.test.ts',
    'test/package/**/*.test.ts',
    'test/examples/on-workers.test.ts',
    'test/connectors/files/kill.test.ts',
    'test/engine/app/memory.test.ts',
    'test/engine/app/stuck.test.ts',
  ],
  /** Searches: the protocol of epochs in every order, every user function failing in every way, thousands of requests. */
  searches: [
    'test/proofs/**/*.test.ts',
    'test/engine/semantics/user-errors/**/*.test.ts',
    'test/engine/query/crashes.test.ts',
    'test/http/contract.test.ts',
  ],
  kafka: ['test/connectors/kafka/cluster/**/*.test.ts'],
  chaos: ['test/connectors/kafka/chaos/**/*.test.ts'],
  console: ['test/console/**/*.test.ts'],
} satisfies Readonly<Record<string, readonly string[]>>
