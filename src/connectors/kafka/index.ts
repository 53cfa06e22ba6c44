export { kafkaBroker } from './broker.ts'
export type { KafkaBrokerOptions } from './options.ts'
