import assert from 'node:assert/strict'
import { generate } from '../../examples/hotstar/generator.ts'
import { compare } from '../examples/compare.ts'
import { hotstarModel, hotstarModes } from '../examples/hotstar-model.ts'
import { dhaara, jsonLines, rowsIn, temporaryFolder } from './dhaara.ts'

describe('the Hotstar job on the command line', () => {
  const folder = temporaryFolder()

  // between partitions the order of arrival decides which events are late
  for (const { partitions, late } of [
    { partitions: 1, late: 0.03 },
    { partitions: 4, late: 0 },
  ]) {
    it(`gives the rows of its page from a file, with ${partitions} partition(s)`, async () => {
      const events = [...generate({ seed: 6, count: 8000, late })]
      const input = folder.write(`events-${partitions}.jsonl`, jsonLines(events))
      const path = (topic: string): string => folder.path(`${topic}-${partitions}.jsonl`)
      const outputs = Object.keys(hotstarModes).flatMap((topic) => ['-o', `${topic}=${path(topic)}`])
      const run = ['run', 'examples/hotstar', '--until-end', '--partitions', String(partitions)]
      const { code, err } = await dhaara([...run, '-i', `hotstar-events=${input}`, ...outputs])
      assert.equal(code, 0, err)
      const expected = hotstarModel(events)
      for (const [topic, mode] of Object.entries(hotstarModes))
        compare(topic, mode, expected[topic] ?? [], rowsIn(path(topic)))
    }).timeout(60_000)
  }
})
