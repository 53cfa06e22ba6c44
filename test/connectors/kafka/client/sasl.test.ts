import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import fc from 'fast-check'
import { saslHandshakeKey } from '../../../../src/connectors/kafka/client/client.ts'
import { logIn, type Send } from '../../../../src/connectors/kafka/client/sasl.ts'
import { Reader } from '../../../../src/connectors/kafka/wire/reader.ts'
import { bytes, int16, int64, nullableString, struct } from '../../../../src/connectors/kafka/wire/schema.ts'
import { Writer } from '../../../../src/connectors/kafka/wire/writer.ts'

const request = struct({ token: bytes })
const response = struct({ error: int16, message: nullableString, token: bytes, lifetime: int64 })
const salt = Buffer.from('of the sea')

interface Server {
  readonly username: string
  readonly password: string
  readonly iterations?: number
  /** What it does with the nonce that it was given. */
  readonly nonce?: (own: string) => string
  /** It says that it knows the password, and does not. */
  readonly poses?: boolean
  readonly mechanism?: string
}

/** A server's side of RFC 5802, in the frames of Kafka. */
function server(hash: 'sha256' | 'sha512', of: Server): Send {
  const { username, password, iterations = 4096, nonce = (own) => `${own}and-mine`, poses = false, mechanism } = of
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  let [first, challenge] = ['', '']
  const answer = (text: string): [number, string] => {
    if (text.startsWith('n,,')) {
      first = text.slice(3)
      const { 1: name = '', 2: own = '' } = /^n=(.*),r=(.*)$/.exec(first) ?? []
      if (name.replaceAll('=2C', ',').replaceAll('=3D', '=') !== username) return [58, 'nobody of that name']
      challenge = `r=${nonce(own)},s=${salt.toString('base64')},i=${iterations}`
      return [0, challenge]
    }
    const { 1: final = '', 2: proof = '' } = /^(.*),p=(.*)$/.exec(text) ?? []
    const salted = pbkdf2Sync(password, salt, iterations, hash === 'sha256' ? 32 : 64, hash)
    const all = `${first},${challenge},${final}`
    const key = hmac(salted, 'Client Key')
    const signature = hmac(createHash(hash).update(key).digest(), all)
    const given = Buffer.from(proof, 'base64').map((byte, i) => byte ^ (signature[i] as number))
    if (poses) return [0, `v=${Buffer.alloc(signature.length).toString('base64')}`]
    if (!key.equals(given)) return [58, 'not that password']
    return [0, `v=${hmac(hmac(salted, 'Server Key'), all).toString('base64')}`]
  }
  return async ({ key }, body) => {
    if (key === saslHandshakeKey) {
      const wanted = body.toString('utf8', 2)
      const known = mechanism ?? wanted
      const head = Buffer.alloc(8)
      head.writeInt16BE(known === wanted ? 0 : 33, 0)
      head.writeInt32BE(1, 2)
      head.writeInt16BE(known.length, 6)
      return Buffer.concat([head, Buffer.from(known)])
    }
    const [error, text] = answer(request.read(new Reader(body), 2).token.toString())
    const to = new Writer()
    const [message, token] = error === 0 ? [null, text] : [text, '']
    response.write(to, { error, message, token: Buffer.from(token), lifetime: 7000 }, 2)
    return to.bytes()
  }
}

const one = { username: 'asha', password: 'secret' }

describe('A login by SCRAM', () => {
  it('is let in with the right password, whatever it and the name are made of, and refused with another', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    const name = fc.oneof(text, fc.constant('a=b,c=2C'))
    await fc.assert(
      fc.asyncProperty(name, text, fc.boolean(), async (username, password, long) => {
        const [hash, mechanism] = long ? (['sha512', 'scram-sha-512'] as const) : (['sha256', 'scram-sha-256'] as const)
        const send = server(hash, { username, password })
        assert.equal(await logIn(send, { mechanism, username, password }), 7000)
        await assert.rejects(logIn(send, { mechanism, username, password: `${password}?` }), /SASL .*not that password/)
      }),
      { numRuns: 20 },
    )
  })

  const refusals: Record<string, readonly [Partial<Server>, RegExp]> = {
    'who does not know the password': [{ poses: true }, /does not know the password/],
    'an answer to somebody else': [{ nonce: () => 'another' }, /somebody else/],
    'an answer that adds nothing of its own': [{ nonce: (own) => own }, /somebody else/],
    'so few iterations that the password could be guessed': [{ iterations: 100 }, /100 iterations/],
    'a broker that does not know the mechanism': [
      { mechanism: 'GSSAPI' },
      /does not know SASL SCRAM-SHA-256, but GSSAPI/,
    ],
  }
  for (const [what, [how, says]] of Object.entries(refusals))
    it(`refuses ${what}`, () =>
      assert.rejects(logIn(server('sha256', { ...one, ...how }), { mechanism: 'scram-sha-256', ...one }), says))
})
