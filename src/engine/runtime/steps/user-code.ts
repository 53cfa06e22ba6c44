import type { AggregateSpec, UserFn } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { copyValue } from '../../../state/codec/index.ts'
import type { Step, SubTopology } from '../../plan/physical.ts'
import { userError } from '../failures/errors.ts'
import { addingCopies, changesInPlace } from './in-place.ts'
import type { CurrentRecord } from '../record.ts'
import { frozen, frozenSpec } from './user-functions.ts'

/** Users' functions as the steps of a task call them: what must not be changed is frozen or copied. */
export class UserCode {
  private readonly sub: SubTopology
  private readonly strict: boolean
  private readonly rec: CurrentRecord

  /** @param strict freeze what user code must not change */
  constructor(sub: SubTopology, strict: boolean, rec: CurrentRecord) {
    this.sub = sub
    this.strict = strict
    this.rec = rec
  }

  /** A user's function as the task calls it; `to`: how many of its arguments are read-only. */
  fn(fn: UserFn, step: string, to = 2): UserFn {
    return this.strict ? frozen(fn, step, 0, to) : fn
  }

  /** Called by whoever asks for a row: what it throws is still its own step's. */
  derived(fn: UserFn, step: string): UserFn {
    const own = this.fn(fn, step)
    return (value, key) => {
      try {
        return own(value, key)
      } catch (error) {
        throw userError(error, step, this.rec)
      }
    }
  }

  spec(step: Step, spec: AggregateSpec): AggregateSpec {
    const own = this.copyFor(step) === undefined ? spec : addingCopies(spec)
    return this.strict ? frozenSpec(own, step.name) : own
  }

  /** For what a step keeps by reference. */
  copyFor(step: Step): typeof copyValue | undefined {
    return changesInPlace(step, (name) => this.ownerOf(name)) ? copyValue : undefined
  }

  ownerOf(store: string): Step | undefined {
    return this.sub.steps.find(({ op }) => 'store' in op && op.store?.name === store)
  }
}

/** What a user's supplier throws stops the start, with its step. */
export function supplied<T>({ name }: Step, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof DhaaraError) throw error
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const message = `step '${name}' threw when its task was made: ${text}; expected its supplier to return an object with the step's functions`
    throw new DhaaraError('DHAARA_USER_CODE', message, { step: name, cause: error })
  }
}
