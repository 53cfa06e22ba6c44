import { remote } from '../../connectors/broker/remote.ts'
import { kafkaBroker } from '../../connectors/kafka/index.ts'
import { planOf } from '../../dsl/topology/plan-of.ts'
import { settingsOf } from '../../engine/app/settings/options.ts'
import type { Savepoint } from '../../engine/app/state/savepoint.ts'
import { compile } from '../../engine/plan/compile.ts'
import { savepointOfLog, savepointToLog } from '../../engine/remote/savepoint/index.ts'
import type { Positions } from '../../engine/rescale/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { defaultApplicationId, loadModule } from '../load-module.ts'
import { createLogger } from '../logging.ts'
import { brokerList } from './topic-client.ts'

interface KafkaSavepoint {
  readonly brokers: string
  readonly module?: string
  readonly set?: Readonly<Record<string, string>>
  readonly applicationId?: string
}

/** The topology tells what lies in which topic. */
async function load({ module, set = {}, applicationId, brokers }: KafkaSavepoint) {
  if (module === undefined)
    throw new DhaaraError('DHAARA_OPTION', '--module is not given; with --brokers the topology tells what lies where')
  const { url, options, topology } = await loadModule(module, set)
  const logger = createLogger('warn', (line) => process.stderr.write(`${line}\n`), true)
  const app = applicationId ?? options.applicationId ?? defaultApplicationId(url)
  const settings = settingsOf({ ...options, applicationId: app, logger })
  const broker = kafkaBroker({ brokers: brokerList(brokers) })
  return { settings, options, plan: compile(planOf(topology)), log: await broker[remote]() }
}

export async function createOnKafka(folder: string, flags: KafkaSavepoint): Promise<Savepoint> {
  const { settings, plan, log } = await load(flags)
  try {
    const { applicationId: app, logger } = settings
    return await savepointOfLog({ log, app, plan, logger }, folder, Date.now())
  } finally {
    await log.release()
  }
}

export async function restoreOnKafka(folder: string, flags: KafkaSavepoint, positions: Positions): Promise<Savepoint> {
  const { settings, options, plan, log } = await load(flags)
  try {
    const { renames, allowNonRestoredState } = options
    return await savepointToLog(
      { log, settings, plan, evolution: { renames, allowNonRestoredState } },
      folder,
      positions,
    )
  } finally {
    await log.release()
  }
}
