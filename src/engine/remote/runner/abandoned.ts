import type { RemoteLog } from '../../../connectors/broker/remote.ts'
import type { Logger } from '../../app/settings/logger.ts'

/** Transactional id of a runner: of one thread of an instance. */
export const writerName = (app: string, instance: string, number?: number): string =>
  number === undefined ? `${app}-${instance}` : `${app}-${instance}-${number}`

const own = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-\d+)?$/

/** Whose it is; undefined: of another app, whose name may begin with this app's. */
const instanceOf = (app: string, id: string): string | undefined =>
  id.startsWith(`${app}-`) ? own.exec(id.slice(app.length + 1))?.[1] : undefined

/**
 * Ends what instances that are gone have left open. Nobody reads past an open transaction, and it would be open until the broker
 * gives it up. One that sleeps, and has been dropped by the group, loses nothing by it: its positions would be refused too.
 *
 * @param instances those that the group has
 */
export async function endAbandoned(
  log: RemoteLog,
  app: string,
  instances: readonly string[],
  logger: Logger,
): Promise<void> {
  const open = await log.openTransactions()
  const gone = open.filter((id) => {
    const instance = instanceOf(app, id)
    return instance !== undefined && !instances.includes(instance)
  })
  await Promise.all(
    gone.map(async (transactionalId) => {
      logger.info({ transactionalId }, 'the open transaction of an instance that is gone is ended')
      const writer = log.writer({ transactionalId })
      try {
        await writer.init()
      } catch (error) {
        // then the broker's time-out ends it
        logger.warn(
          { transactionalId, error: String(error) },
          'an open transaction could not be ended: it is waited for',
        )
      } finally {
        await writer.close()
      }
    }),
  )
}
