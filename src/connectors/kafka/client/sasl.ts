/**
 * Logins on connections of our own: PLAIN (RFC 4616), SCRAM (RFC 5802, RFC 7677) and OAUTHBEARER (RFC 7628), in the frames of
 * SaslHandshake and SaslAuthenticate (KIP-152, KIP-368). Names and passwords are taken as they are, as Kafka's brokers do.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Reader } from '../wire/reader.ts'
import { bytes, int16, int64, nullableString, struct } from '../wire/schema.ts'
import { Writer } from '../wire/writer.ts'
import { type SaslOptions, saslHandshakeKey } from './client.ts'

const authenticateKey = 36
const leastIterations = 4096
const derive = promisify(pbkdf2)

const request = struct({ token: bytes })
const response = struct({ error: int16, message: nullableString, token: bytes, lifetime: int64 })

/** Sends a request and gives its answer. */
export type Send = (request: { readonly key: number; readonly version: number }, body: Buffer) => Promise<Buffer>

/**
 * @returns how long the login is good for, ms; 0: for ever
 * @throws Error that names SASL: the broker refused it, or is not who knows the password
 */
export async function logIn(send: Send, sasl: SaslOptions): Promise<number> {
  const mechanism = sasl.mechanism.toUpperCase()
  await handshake(send, mechanism)
  let lifetime = 0
  const step = async (token: string): Promise<string> => {
    const to = new Writer()
    request.write(to, { token: Buffer.from(token) }, 2)
    const body = await send({ key: authenticateKey, version: 2 }, to.bytes())
    const answer = response.read(new Reader(body), 2)
    if (answer.error !== 0)
      throw new Error(`SASL ${mechanism} was refused: ${answer.message ?? `error ${answer.error}`}`)
    lifetime = answer.lifetime
    return answer.token.toString()
  }
  if (sasl.mechanism === 'plain') await step(`\0${sasl.username}\0${sasl.password}`)
  else if (sasl.mechanism === 'oauthbearer') {
    const refusal = await step(`n,,\x01auth=Bearer ${await sasl.token()}\x01\x01`)
    if (refusal !== '') throw new Error(`SASL ${mechanism} was refused: ${refusal}`)
  } else await scram(step, sasl.mechanism === 'scram-sha-256' ? 'sha256' : 'sha512', sasl)
  return lifetime
}

/** The one request that has no flexible version. */
async function handshake(send: Send, mechanism: string): Promise<void> {
  const name = Buffer.from(mechanism)
  const body = Buffer.alloc(2 + name.length)
  body.writeInt16BE(name.length, 0)
  name.copy(body, 2)
  const answer = await send({ key: saslHandshakeKey, version: 1 }, body)
  if (answer.readInt16BE(0) === 0) return
  const offered: string[] = []
  for (let left = answer.readInt32BE(2), at = 6; left > 0; left--) {
    const end = at + 2 + answer.readInt16BE(at)
    offered.push(answer.toString('utf8', at + 2, end))
    at = end
  }
  throw new Error(`the broker does not know SASL ${mechanism}, but ${offered.join(', ')}`)
}

async function scram(
  step: (token: string) => Promise<string>,
  hash: 'sha256' | 'sha512',
  { username, password }: { readonly username: string; readonly password: string },
): Promise<void> {
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const nonce = randomBytes(18).toString('base64')
  const first = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  const challenge = await step(`n,,${first}`)
  const { r = '', s = '', i = '' } = attributes(challenge)
  if (!r.startsWith(nonce) || r.length === nonce.length)
    throw new Error('SASL: the answer of the broker is to somebody else’s login')
  if (!(Number(i) >= leastIterations))
    throw new Error(`SASL: the broker asks for ${i} iterations; expected ${leastIterations} or more`)
  const salted = await derive(password, Buffer.from(s, 'base64'), Number(i), hash === 'sha256' ? 32 : 64, hash)
  const key = hmac(salted, 'Client Key')
  const final = `c=biws,r=${r}`
  const all = `${first},${challenge},${final}`
  const signature = hmac(createHash(hash).update(key).digest(), all)
  const proof = Buffer.from(key.map((byte, at) => byte ^ (signature[at] as number)))
  const { v = '' } = attributes(await step(`${final},p=${proof.toString('base64')}`))
  const [found, expected] = [Buffer.from(v, 'base64'), hmac(hmac(salted, 'Server Key'), all)]
  if (found.length !== expected.length || !timingSafeEqual(found, expected))
    throw new Error('SASL: whoever answers does not know the password, and is not the broker')
}

/** `r=…,s=…,i=…`: values may have `=` in them. */
const attributes = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
