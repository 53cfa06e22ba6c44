import type { PlanNode, UserFn } from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { deepFreeze } from '../../state/codec/index.ts'
import type { Step } from '../plan/physical.ts'

/** The functions of a step that generated code calls as `fN` (or `fN_i`). */
export function functionsOf(step: Step, strict: boolean): UserFn[] {
  const op = step.op as PlanNode
  const fns = op.kind === 'split' ? op.predicates : 'fn' in op ? [op.fn] : []
  return strict ? fns.map((fn) => frozen(fn, step.name)) : [...fns]
}

/** Hands frozen arguments to a user function, and names it if it tries to change them. */
export function frozen(fn: UserFn, step: string): UserFn {
  return (value, key, record) => {
    deepFreeze(value)
    deepFreeze(key)
    try {
      return fn(value, key, record)
    } catch (error) {
      throw asMutation(error, fn, step)
    }
  }
}

const frozenWrite = /read only|read-only|not extensible|Cannot (delete|assign|add|define|redefine)/

export function asMutation(error: unknown, fn: UserFn, step: string): unknown {
  if (!(error instanceof TypeError) || !frozenWrite.test(error.message)) return error
  const name = fn.name === '' || fn.name === 'fn' ? fn.toString().slice(0, 60) : fn.name
  const message = `a function of step '${step}' (${name}) changed what it was handed: ${error.message}; values and keys are read-only: return a new value instead`
  return new DhaaraError('DHAARA_MUTATION', message, { cause: error })
}
