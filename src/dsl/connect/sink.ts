import { DhaaraError } from '../../errors/index.ts'
import { needCount } from '../checks.ts'
import type { Handle } from '../handle.ts'
import { present } from '../helpers.ts'
import type { AnySerde, PlanNode } from '../plan/index.ts'
import { show } from '../vault.ts'
import { retrySpec } from './source.ts'
import type { OwnSinkOptions, Sink, SinkConnector, SinkTask } from './types.ts'

type AnySink = Sink<any, any>
type Given = AnySink | SinkConnector<any, any> | ((task: SinkTask) => AnySink)

/** Records go to a sink of the user's own. */
export function ownSink(at: Handle, given: Given, opts: OwnSinkOptions<any, any>): PlanNode {
  const base = at.draft.step('sink', [at.node], opts.name)
  const what = `sink '${base.name}'`
  const { key, value, batchRecords, retry, maxPendingBytes, connector } = { ...connectorOf(given), ...present(opts) }
  return at.draft.add({
    ...base,
    kind: 'deliver',
    table: false,
    own: {
      connector: connector ?? 'own',
      batchRecords: needCount(batchRecords ?? 1000, `${what} batchRecords`),
      maxPendingBytes: needCount(maxPendingBytes ?? 64 << 20, `${what} maxPendingBytes`),
      retry: retrySpec(retry, what),
      make: maker(given, what),
    },
    ...present({ key: key as AnySerde | undefined, value: value as AnySerde | undefined }),
  })
}

const connectorOf = (given: Given): OwnSinkOptions<any, any> =>
  typeof given === 'object' && given !== null && 'create' in given ? given : {}

function maker(given: Given, what: string): (task: SinkTask) => AnySink {
  if (typeof given === 'function') return (task) => checked(given(task), what)
  if (typeof given === 'object' && given !== null && 'create' in given)
    return (task) => checked(given.create(task), what)
  const sink = checked(given, what)
  return () => sink
}

/** @throws DhaaraError DHAARA_OPTION, DHAARA_SINK_RECOVER */
function checked(sink: AnySink, what: string): AnySink {
  if (typeof sink?.write !== 'function') {
    const found = show((sink as AnySink | undefined)?.write)
    throw new DhaaraError('DHAARA_OPTION', `${what}: found ${found} as write; expected a function (batch, epoch, task)`)
  }
  if (sink.commit !== undefined && sink.recover === undefined) {
    throw new DhaaraError(
      'DHAARA_SINK_RECOVER',
      `${what}: found commit without recover; expected both, since after a crash nobody else knows which epochs are to be finished and which are to be dropped. Add recover(epoch), or leave commit out and write each (task, epoch, index) once`,
    )
  }
  return sink
}
