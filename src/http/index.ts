export { type HttpServer, serveApp } from './server.ts'
export type { CheckpointInfo, HttpOptions, InputPosition, Served, StoreInfo, TaskInfo } from './served.ts'
