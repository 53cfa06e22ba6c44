export { duration, toMs } from './duration.ts'
export type { CalendarPeriod, Clock, Duration, DurationText, Timestamp } from './types.ts'
