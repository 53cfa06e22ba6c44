import type { Observer } from 'rxjs'
import type { SinkConnector } from '../../dsl/connect/index.ts'

export interface ObserverSink<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
}

/**
 * Hands committed records to an Observer, or a Subject, in the order of each task. After a crash the last batch comes again.
 *
 * @example alerts.sink(observerSink(subject), { name: 'alerts' })
 */
export function observerSink<K, V>(observer: Pick<Observer<ObserverSink<K, V>>, 'next'>): SinkConnector<K, V> {
  return {
    connector: 'rx',
    create: () => ({
      write(batch) {
        for (const record of batch) observer.next(record)
      },
    }),
  }
}
