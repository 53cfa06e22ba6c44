import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureOn } from '../../../../bench/suites/scale/processes.ts'
import { kafka } from '../broker.ts'

describe('the benchmark of processes on Kafka', () => {
  it('shares the tasks out, holds the rows to the reference, and counts what all processes take', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'dhaara-processes-'))
    try {
      const sizes = { runs: 1, warmUp: 2000, records: 4000, chunkSize: 1000, cache }
      const lines = await measureOn(await kafka(), { ...sizes, log() {} }, [1, 2])
      assert.deepEqual(
        lines.map(({ x, records, correct, against }) => ({ x, records, correct, against })),
        [
          { x: 1, records: 4000, correct: true, against: undefined },
          { x: 2, records: 4000, correct: true, against: '1' },
        ],
      )
      for (const { cpuSeconds, busyCores } of lines) assert.ok(cpuSeconds > 0 && (busyCores as number) > 0)
      assert.ok(lines[1]!.peakRssMb > lines[0]!.peakRssMb)
    } finally {
      await rm(cache, { recursive: true })
    }
  })
})
