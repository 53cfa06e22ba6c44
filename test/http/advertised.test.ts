import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { advertisedBy } from '../../src/http/advertised.ts'

const tls = { key: '', cert: '' }

describe('where other instances are told to ask', () => {
  const rows: readonly (readonly [
    what: string,
    options: Parameters<typeof advertisedBy>[0],
    url: string,
    is: string,
  ])[] = [
    ['where it listens', {}, 'http://127.0.0.1:8090', 'http://127.0.0.1:8090'],
    ['the name of the machine', { host: '0.0.0.0' }, 'http://0.0.0.0:8090', `http://${hostname()}:8090`],
    ['the same, of IPv6', { tls }, 'https://[::]:8090', `https://${hostname()}:8090`],
    ['a host and a port', { advertise: 'app-1:80' }, 'http://0.0.0.0:8090', 'http://app-1'],
    ['the same over TLS', { advertise: 'app-1:8443', tls }, 'https://0.0.0.0:8090', 'https://app-1:8443'],
    ['a URL, behind a proxy', { advertise: 'https://app-1.example' }, 'http://0.0.0.0:1', 'https://app-1.example'],
  ]
  for (const [what, options, url, is] of rows)
    it(`is ${what}`, () => assert.equal(advertisedBy(options, url).toLowerCase(), is.toLowerCase()))

  for (const advertise of ['', 'app 1', 'http://app-1/api', 'app-1/?x', '://'])
    it(`is not '${advertise}'`, () => assert.throws(() => advertisedBy({ advertise }, ''), /advertise/))
})
