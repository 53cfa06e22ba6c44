import type { Step, StepOp } from './physical.ts'

/** A step behind others, which know of it from now on. */
export function newStep<O extends StepOp>(name: string, op: O, table: boolean, inputs: readonly Step[]): Step<O> {
  const step: Step<O> = { id: -1, name, op, table, inputs: [...inputs], outputs: [], sub: -1, needsOld: false }
  for (const [port, input] of inputs.entries()) input.outputs.push({ to: step as Step, port })
  return step
}
