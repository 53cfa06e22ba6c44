import type { RemoteReader } from '../../../connectors/broker/remote.ts'
import type { BackendReader } from '../../../state/backend.ts'
import { hostParts } from '../../app/settings/host-parts.ts'
import type { Settings } from '../../app/settings/options.ts'
import type { Policies } from '../../app/settings/policies.ts'
import { SourceReader } from '../../connect/source-reader.ts'
import type { KeptSources } from './kept-sources.ts'
import type { Host } from '../../runtime/host.ts'
import type { Outputs } from '../../runtime/outputs.ts'
import type { ChangelogRows } from '../state/changelog.ts'
import { type Inputs, type Offsets, positionName } from '../inputs.ts'

export interface RemoteHostParts {
  readonly settings: Settings
  readonly policies: Policies
  /** Aggregates are copied before they are added to. */
  readonly careful: boolean
  readonly rows: ChangelogRows
  readonly inputs: Inputs
  readonly local: BackendReader
  readonly outputs: Outputs
  readonly reader: RemoteReader
  readonly starts: Offsets
  /** More of a topic is on its way, whatever its end says. */
  readonly filling: (topic: string) => boolean
  /** Of tasks that stay. */
  readonly kept: KeptSources
  readonly wake: () => void
}

/** What tasks on a remote log are hosted by. */
export function remoteHost(parts: RemoteHostParts): Host {
  const { settings, policies, careful, rows, inputs, local, outputs, reader, starts, filling, kept, wake } = parts
  return {
    ...hostParts(settings, policies, careful),
    reader: local,
    outputs,
    storeId: (name, sub) => rows.idOf(name, sub),
    partitionsOf: (topic) => inputs.partitionsOf(topic),
    topics: () => inputs.names,
    fetch: (topic, partition, offset) => {
      reader.add(topic, partition, offset)
      return reader.take(topic, partition, offset)
    },
    done: (fetched) => reader.done(fetched),
    behind: (topic, partition, offset) => {
      if (filling(topic)) return true
      reader.add(topic, partition, offset)
      // Before anything is known, there may be more.
      return !(reader.end(topic, partition) <= offset)
    },
    startOffset: (_source, topic, partition) => starts.get(positionName({ topic, partition })) ?? 0,
    openSource: (spec, at, start) =>
      kept.take(at.name, at.partition, start) ??
      new SourceReader(spec, at, start, {
        clock: settings.clock,
        wake,
        warn: (message, fields) => settings.logger.warn(fields ?? {}, message),
      }),
    wake,
  }
}
