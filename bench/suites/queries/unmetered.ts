import { Generator } from '../../../src/engine/codegen/generate.ts'
import { Program } from '../../../src/engine/codegen/program.ts'
import type { TaskMeter } from '../../../src/engine/metrics/task-meter.ts'

const idle: Partial<TaskMeter> = {
  begin: () => false,
  ...Object.fromEntries(['to', 'end', 'add', 'stall', 'refresh'].map((name) => [name, () => {}])),
}

/** What is set up meanwhile counts nothing in the generated code and reads no clock; what was set up before still does. */
export async function withoutMetering<T>(setup: () => T | Promise<T>): Promise<T> {
  const [generator, program] = [Generator.prototype, Program.prototype]
  const { count, drop } = generator as unknown as Record<'count' | 'drop', () => string>
  const { link } = program
  Object.assign(generator, { count: () => '', drop: () => '' })
  program.link = function (parts) {
    return link.call(this, { ...parts, meter: Object.assign(parts.meter, idle) })
  }
  try {
    return await setup()
  } finally {
    Object.assign(generator, { count, drop })
    program.link = link
  }
}
