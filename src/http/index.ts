export { type HttpServer, serveApp } from './server.ts'
export type {
  CheckpointInfo,
  HttpOptions,
  InputPosition,
  Letters,
  RestoreInfo,
  Served,
  StoreInfo,
  TaskInfo,
} from './served.ts'
