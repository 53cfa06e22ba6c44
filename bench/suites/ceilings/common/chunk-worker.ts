/** A worker thread that reads chunks from shared memory instead of a topic; all else is the engine's own. */
import { getEnvironmentData } from 'node:worker_threads'
import { runWorker } from '../../../../src/engine/app/workers/run-worker.ts'
import { ChunkLog, type SharedChunks } from './shared-chunks.ts'

await runWorker(() => new ChunkLog(getEnvironmentData('chunks') as unknown as SharedChunks))
