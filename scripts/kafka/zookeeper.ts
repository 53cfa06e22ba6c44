/** The ZooKeeper that brokers of old versions keep their cluster in: one process, from the same jars. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { brokerIsAtLeast } from './jars.ts'
import { accepts } from './ports.ts'
import { pidIn, printed, startProcess, stopProcess, tool } from './process.ts'
import { scramUsers } from './security.ts'

/** From 3.5 on brokers keep their cluster themselves, as these scripts want it: with users that it is formatted with. */
export const wantsZooKeeper = !brokerIsAtLeast(3, 5)

const dirIn = (cluster: string): string => join(cluster, 'zookeeper')

/** Resolves when it accepts connections. */
export async function startZooKeeper(cluster: string, port: number): Promise<void> {
  const dir = dirIn(cluster)
  mkdirSync(dir, { recursive: true })
  const lines = [
    `dataDir=${join(dir, 'data')}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    'admin.enableServer=false',
  ]
  writeFileSync(join(dir, 'zookeeper.properties'), lines.map((line) => `${line}\n`).join(''))
  startProcess(dir, ['-Xmx256m'], 'org.apache.zookeeper.server.quorum.QuorumPeerMain', 'zookeeper.properties')
  for (const until = Date.now() + 60_000; !(await accepts(port)); await delay(100))
    if (pidIn(dir) === undefined || Date.now() > until) throw new Error(`ZooKeeper did not come up: ${printed(dir)}`)
}

export const stopZooKeeper = (cluster: string): Promise<void> => stopProcess(dirIn(cluster), 'SIGKILL')

/** Before the first broker starts: it takes them from there. */
export function addUsers(port: number): void {
  const alter = ['--zookeeper', `127.0.0.1:${port}`, '--alter', '--entity-type', 'users']
  for (const [name, logins] of scramUsers)
    tool('kafka.admin.ConfigCommand', [...alter, '--entity-name', name, '--add-config', logins.join(',')])
}
