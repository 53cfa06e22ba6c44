export { PortLog, portLogOf } from './port-log.ts'
export { LogServer } from './serve.ts'
export { Pulse, watchPulse } from './pulse.ts'
export { threadEnv } from './thread-env.ts'
