import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('../../../', import.meta.url).pathname
const missing = ['avsc', 'protobufjs', 'ajv', 'kafkajs', '@platformatic']

/** Asks for each thing that needs a package beside dhaara; prints what comes of it. */
const program = `
import { kafkaBroker, schemaRegistry, serdes } from './src/index.ts'
const registry = schemaRegistry({ url: 'http://127.0.0.1:1' })
const kafka = async (options) => {
  const producer = kafkaBroker({ brokers: ['127.0.0.1:1'], ...options }).producer('topic', { key: serdes.string(), value: serdes.string() })
  await producer.send({ key: 'k', value: 'v' })
}
const asked = {
  avro: () => registry.avro(),
  protobuf: () => registry.protobuf(),
  json: () => registry.json(),
  kafka: () => kafka({}),
  kafkajs: () => kafka({ client: 'kafkajs' }),
}
const found = {}
for (const [name, ask] of Object.entries(asked)) {
  try {
    await ask()
    found[name] = ['', 'it went well']
  } catch (error) {
    found[name] = [error.code, error.message]
  }
}
console.log(JSON.stringify(found))
process.exit(0)
`

describe('packages that may be installed beside dhaara', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-peers-'))
    cpSync(join(root, 'src'), join(dir, 'src'), { recursive: true })
    cpSync(join(root, 'package.json'), join(dir, 'package.json'))
    const modules = realpathSync(join(root, 'node_modules'))
    mkdirSync(join(dir, 'node_modules'))
    for (const name of readdirSync(modules))
      if (!missing.includes(name)) symlinkSync(join(modules, name), join(dir, 'node_modules', name))
    writeFileSync(join(dir, 'ask.ts'), program)
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('are named with the line that installs them, where they are not', () => {
    const printed = execFileSync(process.execPath, ['ask.ts'], { cwd: dir, encoding: 'utf8' })
    const found = JSON.parse(printed) as Record<string, readonly [string, string]>
    const expected: Record<string, readonly [string, RegExp]> = {
      avro: ['DHAARA_PEER_MISSING', /schemaRegistry\(\)\.avro needs the package avsc.*npm install avsc/],
      protobuf: ['DHAARA_PEER_MISSING', /protobuf needs the package protobufjs.*npm install protobufjs/],
      json: ['DHAARA_PEER_MISSING', /json needs the package ajv.*npm install ajv/],
      kafka: ['DHAARA_KAFKA_CLIENT', /npm install @platformatic\/kafka@2 or: npm install kafkajs@2\.2\.4/],
      kafkajs: ['DHAARA_KAFKA_CLIENT', /npm install kafkajs@2\.2\.4/],
    }
    assert.deepEqual(Object.keys(found), Object.keys(expected))
    for (const [name, [code, says]] of Object.entries(expected)) {
      assert.equal(found[name]?.[0], code, `${name}: ${found[name]?.[1]}`)
      assert.match(found[name]?.[1] ?? '', says)
    }
  })
})
