import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Instances, type Started, token } from './instances.ts'
import type { Order } from './shop.ts'

const orders = Array.from({ length: 40 }, (_, i): readonly [string, Order, number] => [
  `c${String(i).padStart(2, '0')}`,
  { city: 'Pune', rupees: i },
  1_700_000_000_000 + i,
])
const expected = orders.map(([key, { rupees }]) => [key, rupees])

describe('instances that ask one another', () => {
  let instances: Instances
  beforeEach(async () => {
    instances = await Instances.make()
  })
  afterEach(async function () {
    this.timeout(60_000)
    await instances[Symbol.asyncDispose]()
  })

  const complete = ({ app }: Started) =>
    instances.until(async () => (await app.store('spent').count()) === orders.length, 'not all has come')

  it('do so over TLS with their token, from code and by the command', async () => {
    const [key, cert] = [join(instances.dir, 'key.pem'), join(instances.dir, 'cert.pem')]
    const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    execFileSync('openssl', ['req', ...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    const http = { port: 0, token, tls }
    const one = await instances.start('one', { http })
    const two = await instances.start('two', { http })
    assert.match(one.url, /^https:/)
    await instances.send(orders)
    for (const each of [one, two]) {
      await complete(each)
      assert.deepEqual(await each.app.store('spent').all().toArray(), expected)
    }
    const main = new URL('../../../../../src/cli/main.ts', import.meta.url).pathname
    const query = async (...args: string[]): Promise<string> => {
      const env = { ...process.env, HTTP_TOKEN: token, NODE_EXTRA_CA_CERTS: cert }
      const all = [main, 'query', 'spent', '--url', two.url, ...args]
      return (await promisify(execFile)(process.execPath, all, { env })).stdout
    }
    const lines = (await query('--json')).trim().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      expected.map(([k, value]) => ({ key: k, value })),
    )
    assert.match(await query('c07', '--format', 'table'), /c07\s+7/)
    assert.equal(await query('--prefix', 'c1', '--limit', '2', '--format', 'csv'), 'key,value\nc10,10\nc11,11\n')
  }).timeout(180_000)

  const statuses = ({ url }: Started): Promise<number[]> =>
    Promise.all(
      ['spent', 'cities'].map(async (store) => {
        const response = await fetch(`${url}/api/stores/${store}/rows`, {
          headers: { authorization: `Bearer ${token}` },
        })
        assert.equal(response.headers.get('retry-after'), response.status === 503 ? '1' : null)
        return response.status
      }),
    )

  it('say what keeps them from it', async () => {
    const one = await instances.start('one', { http: { port: 0, token } })
    await instances.send(orders)
    await complete(one)
    // cannot be asked
    const two = await instances.start('two', { http: false })
    const refused = async (code: string, says: RegExp, { app }: Started): Promise<void> => {
      await instances.until(async () => {
        try {
          // one of them may be with the asked instance, all of it
          for (const store of ['spent', 'cities']) await app.store(store).all().toArray()
          return false
        } catch (error) {
          const { code: found, message } = error as { code: string; message: string }
          if (found !== code || !says.test(message)) throw error
          return true
        }
      }, `no ${code}`)
    }
    await refused('DHAARA_UNSUPPORTED', /cannot be asked .* give each instance http: \{port\}/, one)
    // asks without the token
    await refused('DHAARA_UNSUPPORTED', /refused to be asked: Found no token.* the same http: \{token\}/, two)
    assert.deepEqual(
      (await statuses(one)).filter((status) => status !== 200),
      [400],
    )
    // told of an address where nobody is
    await instances.stop(two.app)
    await complete(one)
    await instances.start('three', { http: { port: 0, token, advertise: '127.0.0.1:9' } })
    await refused('DHAARA_MOVED', /127\.0\.0\.1:9.* did not answer/, one)
    assert.deepEqual(
      (await statuses(one)).filter((status) => status !== 200),
      [503],
    )
  }).timeout(180_000)
})
