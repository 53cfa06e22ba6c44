export type DurationText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`
/** Milliseconds, or a literal: '500ms' '5s' '10m' '2h' '7d'. Checked again at run time (finite, not negative). */
export type Duration = number | DurationText
/** Calendar units (day, week, month, year) exist only together with a time zone. */
export type CalendarPeriod = `${number}${'d' | 'w' | 'M' | 'y'}`
/** Epoch milliseconds. */
export type Timestamp = number

/** Time as the engine sees it: injected everywhere, so that tests never sleep. */
export interface Clock {
  now(): Timestamp
  setTimer(at: Timestamp, fn: () => void): Disposable
}
