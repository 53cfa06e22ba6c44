import { randomUUID } from 'node:crypto'
import { bootstrapOf, faultyKind, startCluster } from '../../../scripts/kafka/cluster.ts'
import type { ClusterSpec } from '../../../scripts/kafka/spec.ts'

let started: Promise<readonly string[]> | undefined

/** Addresses of a real broker: the one that the ring has started, or one that is started here and left running. */
export function kafka(): Promise<readonly string[]> {
  const given = process.env['DHAARA_KAFKA']
  started ??= given === undefined ? startCluster(1).then(bootstrapOf) : Promise.resolve(given.split(','))
  return started
}

/** A broker that wants logins and TLS at some ports, and has one for a proxy. The ring ends it. */
export const faultyCluster = (): Promise<ClusterSpec> => startCluster(faultyKind)

/** A name that no other test uses. */
export const unique = (what: string): string => `${what}-${randomUUID().slice(0, 8)}`
