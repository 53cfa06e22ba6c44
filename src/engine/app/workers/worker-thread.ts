/** What a worker thread runs. */
import { runWorker } from './run-worker.ts'

await runWorker()
