// Mocha adds the files named on the command line to `spec`; here they replace it.
const named = process.argv.slice(2).some((argument) => argument.endsWith('.ts'))

// They need a real Kafka: `npm run test:kafka`.
const cluster = 'test/connectors/kafka/cluster/**'

module.exports = {
  spec: named ? [] : ['test/**/*.test.ts'],
  ignore: named ? [] : [cluster],
  timeout: 20_000,
  reporter: 'dot',
}
