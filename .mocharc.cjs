// Mocha adds the files named on the command line to `spec`; here they replace it.
const named = process.argv.slice(2).some((argument) => argument.endsWith('.ts'))

/** Rings of their own: a real Kafka (`npm run test:kafka`), whole programs (`npm run test:programs`), Chromium (`npm run test:console`). */
const rings = [
  'test/connectors/kafka/cluster/**',
  'test/cli/**',
  'test/package/**',
  'test/console/**',
  'test/examples/on-workers.test.ts',
]

module.exports = {
  spec: named ? [] : ['test/**/*.test.ts'],
  ignore: named ? [] : rings,
  parallel: !named,
  jobs: 2,
  timeout: 60_000,
  reporter: 'dot',
}
