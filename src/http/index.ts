export { type HttpServer, serveApp } from './server.ts'
export type { CheckpointInfo, HttpOptions, InputPosition, Letters, Served, StoreInfo, TaskInfo } from './served.ts'
