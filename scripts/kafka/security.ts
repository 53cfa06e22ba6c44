/** Keys, users and rights of a secure cluster: made when it is started, for tests alone. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** May do everything. */
export const admin = { username: 'admin', password: 'admin-secret' } as const
/** Is known, and has no right at all. */
export const guest = { username: 'guest', password: 'guest-secret' } as const

/** How long a login by SCRAM-SHA-512 is good for at the port without TLS. */
export const loginMs = 2000

/** A token of somebody, good for a minute, as these brokers take it. */
export function unsignedToken(sub: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)
  return `${part({ alg: 'none' })}.${part({ sub, iat, exp: iat + 60 })}.`
}

const password = 'keystore-secret'
const storeOf = (dir: string): string => join(dir, 'broker.p12')
const certificateOf = (dir: string): string => join(dir, 'broker.pem')

/** The broker's certificate, as clients are to trust it. */
export const trustOf = ({ dir }: { readonly dir: string }): string => readFileSync(certificateOf(dir), 'utf8')

/** A key pair and its self-signed certificate, for localhost and 127.0.0.1. */
export function makeKeys(dir: string): void {
  const store = ['-keystore', storeOf(dir), '-storetype', 'PKCS12', '-storepass', password, '-alias', 'broker']
  const names = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1', '-ext', 'BC=ca:true']
  execFileSync('keytool', ['-genkeypair', '-keyalg', 'RSA', '-validity', '30', ...store, ...names], { stdio: 'pipe' })
  writeFileSync(certificateOf(dir), execFileSync('keytool', ['-exportcert', '-rfc', ...store], { stdio: 'pipe' }))
}

/** Their names, and what they log in with, as Kafka's tools take it. */
export const scramUsers: readonly (readonly [string, readonly string[]])[] = [admin, guest].map(
  ({ username, password: secret }) => [
    username,
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => `${mechanism}=[password=${secret}]`),
  ],
)

/** @param zookeeper that is where rights are kept */
export function secureProperties(dir: string, zookeeper: boolean): Record<string, string> {
  const plain = [admin, guest].map(({ username, password: secret }) => `user_${username}="${secret}"`).join(' ')
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const logins = ['sasl_plaintext', 'sasl_ssl'].flatMap((name) => [
    [
      `listener.name.${name}.plain.sasl.jaas.config`,
      `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain};`,
    ],
    [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
    [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
    // tokens that nobody has signed: see `unsignedToken`
    [
      `listener.name.${name}.oauthbearer.sasl.jaas.config`,
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="admin";',
    ],
    [
      `listener.name.${name}.oauthbearer.sasl.server.callback.handler.class`,
      'org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler',
    ],
  ])
  return {
    'ssl.keystore.location': storeOf(dir),
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.password': password,
    'ssl.key.password': password,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    // for tests of what outlives a login; others log in by it for moments
    'listener.name.sasl_plaintext.scram-sha-512.connections.max.reauth.ms': String(loginMs),
    'authorizer.class.name': zookeeper
      ? 'kafka.security.authorizer.AclAuthorizer'
      : 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // who comes without a name, through the listeners that ask for none, may do everything
    'super.users': `User:ANONYMOUS;User:${admin.username}`,
    ...Object.fromEntries(logins),
  }
}
