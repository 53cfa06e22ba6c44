import { rmSync } from 'node:fs'
import { type RemoteLog, remote } from '../../connectors/broker/remote.ts'
import { kafkaBroker } from '../../connectors/kafka/index.ts'
import { isInternal } from '../../engine/remote/topics/names.ts'
import { DhaaraError } from '../../errors/index.ts'
import { print } from '../output/print.ts'
import { brokerList } from './topic-client.ts'

export interface KafkaReset {
  readonly brokers: string
  readonly applicationId?: string
  readonly topic?: readonly string[]
  readonly dir?: string
  readonly yes?: true
  readonly json?: true
}

/** Drops an app's changelogs, repartition topics and positions, and the local copy of its state. */
export async function resetOnKafka({ brokers, applicationId, topic = [], dir, yes, json }: KafkaReset): Promise<void> {
  if (applicationId === undefined)
    throw new DhaaraError('DHAARA_OPTION', '--application-id is not given; a cluster has many apps, say which one')
  const log = await kafkaBroker({ brokers: brokerList(brokers) })[remote]()
  try {
    const names = (await log.topics()).map(({ name }) => name)
    const unknown = topic.filter((name) => !names.includes(name))
    if (unknown.length > 0) throw new DhaaraError('DHAARA_OPTION', `there is no topic ${unknown.join(', ')}`)
    const topics = [...names.filter((name) => isInternal(applicationId, name)), ...topic]
    if (yes) await drop(log, applicationId, topics, dir)
    const loss = { app: applicationId, done: yes === true, topics, ...(dir === undefined ? {} : { dir }) }
    await print(json ? `${JSON.stringify(loss)}\n` : lossText(loss))
  } finally {
    await log.release()
  }
}

async function drop(log: RemoteLog, app: string, topics: readonly string[], dir: string | undefined): Promise<void> {
  // First: it refuses while instances run.
  await log.deleteGroup(app)
  await log.deleteTopics(topics)
  if (dir !== undefined) rmSync(dir, { recursive: true, force: true })
}

function lossText(loss: { app: string; done: boolean; topics: readonly string[]; dir?: string }): string {
  const { app, done, topics, dir } = loss
  return [
    `'${app}' ${done ? 'has lost' : 'would lose'}:`,
    '  positions in its inputs',
    ...topics.map((name) => `  topic ${name}`),
    ...(dir === undefined ? [] : [`  directory ${dir}`]),
    ...(done ? [] : ['Nothing has gone. Say --yes to do it.']),
    '',
  ].join('\n')
}
