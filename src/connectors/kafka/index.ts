export { type KafkaBrokerOptions, kafkaBroker } from './broker.ts'
