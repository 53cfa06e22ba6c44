export { type PostgresSinkOptions, postgresInfo, postgresSink } from './sink.ts'
