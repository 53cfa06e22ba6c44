// Mocha adds the files named on the command line to `spec`; here they replace it.
const named = process.argv.slice(2).some((argument) => argument.endsWith('.ts'))

module.exports = { spec: named ? [] : ['test/**/*.test.ts'], timeout: 20_000, reporter: 'dot' }
