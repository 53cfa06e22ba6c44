const { rings } = require('./test/rings.ts')

// Mocha adds the files named on the command line to `spec`; here they replace it.
const named = process.argv.slice(2).some((argument) => argument.endsWith('.ts'))

module.exports = {
  spec: named ? [] : ['test/**/*.test.ts'],
  ignore: named ? [] : Object.values(rings).flat(),
  parallel: !named,
  jobs: 2,
  timeout: 60_000,
  reporter: 'dot',
}
