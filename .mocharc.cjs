// Mocha adds the files named on the command line to `spec`; here they replace it.
const named = process.argv.slice(2).some((argument) => argument.endsWith('.ts'))

/** Rings of their own: a real Kafka, a browser, whole programs (`npm run test:kafka`, `test:console`, `test:programs` …). */
const rings = [
  'test/connectors/kafka/{cluster,chaos}/**',
  'test/console/**',
  'test/{cli,package}/**',
  'test/examples/on-workers.test.ts',
  'test/connectors/files/kill.test.ts',
  'test/engine/app/{memory,stuck}.test.ts',
]

module.exports = {
  spec: named ? [] : ['test/**/*.test.ts'],
  ignore: named ? [] : rings,
  parallel: !named,
  jobs: 2,
  timeout: 60_000,
  reporter: 'dot',
}
