import type { AggregateSpec, PlanNode, UserFn } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { deepFreeze, fingerprint, type Fingerprint, sameFingerprint } from '../../../state/codec/index.ts'
import type { Step } from '../../plan/physical.ts'

/** The functions of a step that generated code calls as `fN` (or `fN_i`). */
export function functionsOf(step: Step, strict: boolean): UserFn[] {
  const op = step.op as PlanNode
  const fns = op.kind === 'split' ? op.predicates : 'fn' in op ? [op.fn] : []
  // the second argument of a broadcast's function is its rules
  const to = op.kind === 'broadcast' ? 1 : 2
  return strict ? fns.map((fn) => frozen(fn, step.name, 0, to)) : [...fns]
}

/**
 * Freezes what a user function is handed, and names it if it tries to change that. What cannot be frozen is compared
 * after the call.
 * @param from the first argument that is read-only; those from `to` on are not frozen either
 */
export function frozen(fn: UserFn, step: string, from = 0, to = 2): UserFn {
  return (...args) => {
    const marks: (Fingerprint | undefined)[] = []
    for (let i = from; i < to && i < args.length; i++) marks.push(fingerprint(deepFreeze(args[i])))
    let result: unknown
    try {
      result = fn(...args)
    } catch (error) {
      throw asMutation(error, fn, step)
    }
    for (const [i, mark] of marks.entries())
      if (!sameFingerprint(mark, fingerprint(args[from + i])))
        throw mutation(fn, step, 'a Map, Set, Date or buffer is not what it was before the call')
    return result
  }
}

/** A processor's values and keys are read-only. */
export function frozenSupplier(supplier: UserFn, step: string): UserFn {
  return (ctx) => {
    const processor = supplier(ctx)
    const bound = (method: string, to: number): UserFn | undefined =>
      typeof processor?.[method] === 'function'
        ? frozen(
            Object.defineProperty((...args) => processor[method](...args), 'name', { value: method }),
            step,
            0,
            to,
          )
        : undefined
    return {
      process: bound('process', 2),
      onTimer: bound('onTimer', 1),
      end: bound('end', 0),
      close: bound('close', 0),
    }
  }
}

/** An aggregate's functions may change the aggregate, but not the values that they add to it. */
export function frozenSpec(spec: AggregateSpec, step: string): AggregateSpec {
  const one = (fn: UserFn | undefined, from: number) => fn && frozen(fn, step, from, 3)
  return {
    ...spec,
    adders: spec.adders.map((fn) => frozen(fn, step, 1, 3)),
    ...(spec.subtract === undefined ? {} : { subtract: one(spec.subtract, 1) as UserFn }),
  }
}

const frozenWrite = /read only|read-only|not extensible|Cannot (delete|assign|add|define|redefine)/

export function asMutation(error: unknown, fn: UserFn, step: string): unknown {
  return error instanceof TypeError && frozenWrite.test(error.message)
    ? mutation(fn, step, error.message, error)
    : error
}

function mutation(fn: UserFn, step: string, found: string, cause?: unknown): DhaaraError {
  const name = fn.name === '' || fn.name === 'fn' ? fn.toString().slice(0, 60) : fn.name
  const message = `a function of step '${step}' (${name}) changed what it was handed: ${found}; values, keys and rows are read-only: return a new value instead`
  return new DhaaraError('DHAARA_MUTATION', message, cause === undefined ? {} : { cause })
}
