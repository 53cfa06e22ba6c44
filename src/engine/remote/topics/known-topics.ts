import type { BackendReader } from '../../../state/backend.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import { type Sealer, statePrefix } from '../../../state/stores/index.ts'
import { topicReplaced } from '../../../connectors/broker/topic-replaced.ts'
import type { TaskId } from '../../runtime/host.ts'
import type { ChangelogRows } from '../state/changelog.ts'
import type { Inputs } from '../inputs.ts'

/** Ids of the topics that a task reads: by topic, in a store of each sub-topology. */
export const topicStore = '$topics'

/** Positions in a topic say nothing of another one of that name: which one they belong to is kept with the state. */
export class KnownTopics {
  private unwritten: { readonly key: Buffer; readonly id: string }[] = []

  /**
   * @param tasks those that are about to run
   * @throws DhaaraError DHAARA_TOPIC_REPLACED
   */
  check(tasks: readonly TaskId[], inputs: Inputs, rows: ChangelogRows, state: BackendReader): void {
    this.unwritten = []
    for (const task of tasks) {
      for (const topic of new Set(inputs.of(task).map((one) => one.topic))) {
        const id = inputs.topics.all.get(topic)?.id
        // the app's own topics are purged and dropped with its state
        if (id === undefined || id === '' || inputs.isRepartition(topic)) continue
        const key = Buffer.concat([statePrefix(rows.idOf(topicStore, task.sub), task.partition), Buffer.from(topic)])
        const row = state.get(key)
        const known = row === undefined ? undefined : (decodeValue(row) as string)
        if (known === undefined) this.unwritten.push({ key, id })
        else if (known !== id) throw topicReplaced(topic)
      }
    }
  }

  /** With the epoch whose positions they belong to. */
  seal(sealer: Sealer): void {
    for (const { key, id } of this.unwritten) sealer.put(key, encodeValue(id))
    this.unwritten = []
  }
}
