export type { JournalPosition } from './journal.ts'
export { type WebhookSinkOptions, webhookSink, webhookSinkInfo } from './sink.ts'
export { type WebhookSourceOptions, webhookSource, webhookSourceInfo } from './source.ts'
