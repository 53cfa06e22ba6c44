export { type RestoreOnLog, savepointToLog } from './read.ts'
export { type SavepointOnLog, savepointOfLog } from './write.ts'
