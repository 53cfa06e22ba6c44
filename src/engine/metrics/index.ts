export { type ErrorReport, mergeErrors } from './error-log.ts'
export { Histogram } from './histogram.ts'
export { Latency } from './latency.ts'
export { reportTask, type StepReport, type TaskReport } from './task-report.ts'
