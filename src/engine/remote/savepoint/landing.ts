import type { Membership, PositionedPartition, RemoteLog, RemoteWriter } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { Logger } from '../../app/settings/logger.ts'
import type { Changelog } from '../state/changelog.ts'
import { isInternal } from '../topics/names.ts'

/** The most that brokers allow by default: all rows are there together, or none. */
const transactionTimeoutMs = 900_000

/** As somebody who is no member of a group: such a commit is refused while the group has members. */
export const outsider = (group: string): Membership => ({ group, generation: -1, member: '', instance: null })

const otherThan = (offset: number | undefined): number => (offset === 0 ? 1 : 0)

/**
 * The one transaction that a savepoint gets onto a cluster by. With its rows goes a position in a changelog, which no group
 * reads: whether that is there tells whether the savepoint is, also where the answer to the commit was lost.
 */
export class Landing {
  private readonly log: RemoteLog
  private readonly app: string
  private readonly logger: Logger
  readonly writer: RemoteWriter
  private mark: PositionedPartition | undefined

  /** Whoever did the same for this app before, and did not come to its end, can do so no more. */
  static async begin(log: RemoteLog, app: string, logger: Logger): Promise<Landing> {
    const landing = new Landing(log, app, logger)
    await landing.writer.init()
    return landing
  }

  private constructor(log: RemoteLog, app: string, logger: Logger) {
    this.log = log
    this.app = app
    this.logger = logger
    this.writer = this.newWriter()
  }

  /** Before rows are sent. */
  async prepare(changelogs: readonly Changelog[]): Promise<void> {
    const shared = changelogs.find(({ store }) => store === undefined) as Changelog
    const place = { topic: shared.topic, partition: 0 }
    const [before] = await this.log.groupOffsets(this.app, [place])
    this.mark = { ...place, offset: otherThan(before) }
  }

  async commit(positions: readonly PositionedPartition[]): Promise<void> {
    await this.writer.commit([...positions, this.mark as PositionedPartition], outsider(this.app))
  }

  /**
   * After a failure: finds out what has become of it, and leaves nothing behind if nothing is there.
   *
   * @returns whether the savepoint is in
   * @throws DhaaraError DHAARA_SAVEPOINT: that cannot be found out now, or somebody uses the topics; they are left as they are
   */
  async settle(failure: unknown): Promise<boolean> {
    const { app, log, logger, mark } = this
    try {
      if (mark !== undefined && (await this.isIn(mark))) {
        logger.warn({ error: String(failure) }, 'the savepoint is in, though the answer to its commit was lost')
        return true
      }
      const made = (await log.topics()).map(({ name }) => name).filter((name) => isInternal(app, name))
      if (made.length === 0) return false
      // refused while instances run: they have begun with what there was
      const place = mark ?? { topic: made[0] as string, partition: 0, offset: 1 }
      await log.commitOffsets([{ ...place, offset: otherThan(place.offset) }], outsider(app))
      await log.deleteTopics(made)
      return false
    } catch (cause) {
      throw new DhaaraError(
        'DHAARA_SAVEPOINT',
        `savepoint: it was not put onto the cluster as a whole, or nobody knows (${(failure as Error).message}), and its topics could not be removed (${(cause as Error).message}). Stop all instances of '${app}', drop what there is (dhaara reset --brokers … --application-id ${app} --yes), and restore it again`,
        { cause: failure },
      )
    }
  }

  async close(): Promise<void> {
    await this.writer.close()
  }

  /** Beginning anew under the same name ends what was open, one way or the other. */
  private async isIn(mark: PositionedPartition): Promise<boolean> {
    const after = this.newWriter()
    await after.init()
    await after.close()
    const [found] = await this.log.groupOffsets(this.app, [mark])
    return found === mark.offset
  }

  private newWriter(): RemoteWriter {
    return this.log.writer({ transactionalId: `${this.app}-savepoint`, transactionTimeoutMs })
  }
}
