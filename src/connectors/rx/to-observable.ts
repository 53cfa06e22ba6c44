import { Observable } from 'rxjs'

/** What `app.observe` and `store.subscribe` give. */
export interface Subscribable<T> {
  subscribe(observer: { next?(value: T): void; error?(error: unknown): void; complete?(): void }): {
    unsubscribe(): void
  }
}

/**
 * What is observed of a running app, as an Observable. It is subscribed to when the Observable is; slow readers are conflated
 * as they are without RxJS.
 *
 * @example toObservable(app.store(totals.store).subscribe('books')).pipe(throttleTime(100)).subscribe(show)
 */
export function toObservable<T>(source: Subscribable<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const subscription = source.subscribe({
      next: (value) => subscriber.next(value),
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    })
    return () => subscription.unsubscribe()
  })
}
