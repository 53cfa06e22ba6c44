export { type RestoreOnLog, savepointToLog } from './read.ts'
export { type SavepointOnLog, savepointOfLog, savepointOfRunning } from './write.ts'
