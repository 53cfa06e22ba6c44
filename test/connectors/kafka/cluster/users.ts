/** Users of a secure cluster, and what they may. */
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka'
import { type AclOperationTypes, type AclResourceTypes, Kafka, logLevel } from 'kafkajs'

// numbers of the protocol: kafkajs' own names of them are not to be had from a module
export const [topic, group, transactionalId] = [2, 3, 5] as const
export const [read, write, create, describe] = [3, 4, 5, 8] as const
const [any, allow, prefixed, scramSha512] = [1, 3, 4, 2] as const

/** Names that begin so, and what may be done with them. */
export type Rule = readonly [type: AclResourceTypes, name: string, operations: readonly AclOperationTypes[]]

/** @param address of a listener where everybody may do everything */
export async function grant(address: string, user: string, rules: readonly Rule[]): Promise<void> {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createAcls({
    acl: rules.flatMap(([resourceType, resourceName, operations]) =>
      operations.map((operation) => ({
        resourceType,
        resourceName,
        resourcePatternType: prefixed,
        principal: `User:${user}`,
        host: '*',
        operation,
        permissionType: allow,
      })),
    ),
  })
  await admin.disconnect()
}

export async function revoke(address: string, rules: readonly Rule[]): Promise<void> {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteAcls({
    filters: rules.map(([resourceType, resourceName]) => ({
      resourceType,
      resourceName,
      resourcePatternType: prefixed,
      operation: any,
      permissionType: any,
    })),
  })
  await admin.disconnect()
}

/** Makes a user that logs in by SCRAM-SHA-512, or gives another password. */
export async function setPassword(address: string, name: string, password: string): Promise<void> {
  const connection = new Connection('users')
  const [host = '', port] = address.split(':')
  await connection.connect(host, Number(port))
  const [salt, iterations] = [randomBytes(16), 4096]
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 64, 'sha512')
  await alterUserScramCredentialsV0.api.async(
    connection,
    [],
    [{ name, mechanism: scramSha512, iterations, salt, saltedPassword }],
  )
  await connection.close()
}
