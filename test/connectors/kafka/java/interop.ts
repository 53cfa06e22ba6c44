import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { jars } from '../../../../scripts/kafka/jars.ts'

/** Runs `Interop.java`. @returns what it printed */
export function java(...args: string[]): string {
  const source = new URL('./Interop.java', import.meta.url).pathname
  const { status, stdout, stderr } = spawnSync('java', ['-Xmx256m', '-cp', jars(), source, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 29,
  })
  assert.equal(status, 0, stderr)
  return stdout
}
