import { MemoryBackend } from '../../../src/state/backends/index.ts'
import { backendContract } from '../backend-contract.ts'

backendContract({ name: 'memory', open: async () => new MemoryBackend(), reopen: 'what is in the heap ends with it' })
