/** `dhaara/rx`: to and from RxJS, which must be installed beside dhaara. */
export {
  type ObservableSourceOptions,
  observableSource,
  type ReplayedValue,
  replayableSource,
  rxInfo,
} from './source.ts'
export { type ObserverSink, observerSink } from './sink.ts'
export { type Subscribable, toObservable } from './to-observable.ts'
