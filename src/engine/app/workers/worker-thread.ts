/** What a worker thread runs. */
import { lowerThisThread, processing } from '../../../state/niceness.ts'
import { runWorker } from './run-worker.ts'

lowerThisThread(processing)
await runWorker()
