import type { Observable } from 'rxjs'
import type { Source, SourceRecord } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { type ConnectorInfo, count, declare, oneOf, type OptionsOf } from '../options/index.ts'
import { batches } from './queue.ts'

const options = declare({
  buffer: count('Most values that wait for the job: an Observable cannot be held back.', 10_000),
  whenFull: oneOf('What to do with the next one: stop the job, or drop the oldest.', ['fail', 'dropOldest'], 'fail'),
  onRestart: oneOf(
    'After a crash the Observable cannot give again what the job had not committed: go on with what comes, or stop.',
    ['continue', 'fail'],
    'continue',
  ),
})
const replayOptions = declare({ buffer: options.declared.buffer })

export type ObservableSourceOptions = OptionsOf<typeof options>

/** A value with the position behind it. */
export type ReplayedValue<T, P> = SourceRecord<any, T> & { readonly position: P }

/**
 * Values of an Observable. It cannot be replayed: what was not committed when the job died is lost (at most once), and each
 * start subscribes anew. What can be replayed goes through `replayableSource`.
 *
 * @example builder.source('clicks', observableSource(fromEvent(server, 'click')), { timestamp: (click) => click.at })
 */
export function observableSource<T>(
  observable: Observable<T>,
  given: ObservableSourceOptions = {},
): Source<null, T, number> {
  const { buffer, whenFull, onRestart } = options.read('observableSource', given)
  return {
    connector: 'rx',
    async *read(position = 0, signal, task) {
      if (position > 0 && onRestart === 'fail') throw lost(position)
      if (position > 0) task.warn('an Observable is subscribed to again: what was not committed is lost', { position })
      for await (const values of batches(observable, buffer, whenFull, signal))
        yield { values, position: (position += values.length), caughtUp: true }
    },
  }
}

/**
 * Records of an Observable that can begin at any position: exactly once.
 *
 * @param from gives what comes behind a position; undefined: everything
 * @example builder.source('events', replayableSource((from = 0) => store.eventsAfter(from).pipe(map((e) => ({ value: e, position: e.seq })))))
 */
export function replayableSource<T, P>(
  from: (position: P | undefined) => Observable<ReplayedValue<T, P>>,
  given: OptionsOf<typeof replayOptions> = {},
): Source<any, T, P> {
  const { buffer } = replayOptions.read('replayableSource', given)
  return {
    connector: 'rx',
    async *read(position, signal) {
      for await (const records of batches(from(position), buffer, 'fail', signal)) {
        const last = records.at(-1) as ReplayedValue<T, P>
        yield { records, position: last.position, caughtUp: true }
      }
    },
  }
}

const lost = (position: number): DhaaraError =>
  new DhaaraError(
    'DHAARA_SOURCE_POSITION',
    `an Observable had given ${position} values before the last checkpoint, and cannot be replayed from there; say {onRestart: 'continue'} to lose what was not committed, or use replayableSource`,
  )

export const rxInfo: readonly ConnectorInfo[] = [
  {
    name: 'observableSource',
    role: 'source',
    about: 'Values of an RxJS Observable (`dhaara/rx`).',
    guarantee: 'At most once: an Observable cannot be replayed.',
    peer: 'rxjs',
    options,
  },
  {
    name: 'replayableSource',
    role: 'source',
    about: 'Records of an Observable that can begin at any position (`dhaara/rx`).',
    guarantee: 'Exactly once, as far as the Observable gives the same records from the same position.',
    peer: 'rxjs',
    options: replayOptions,
  },
  {
    name: 'observerSink',
    role: 'sink',
    about: 'Hands committed records to an Observer or Subject (`dhaara/rx`).',
    guarantee: 'At least once: after a crash the last batch comes again.',
    peer: 'rxjs',
    options: declare({}),
  },
]
