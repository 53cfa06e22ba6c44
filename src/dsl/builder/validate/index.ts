import { TopologyError } from '../../../errors/index.ts'
import type { LogicalPlan } from '../../plan/index.ts'
import { invalidNames, takenNames, unnamedState } from './names.ts'
import type { Check } from './problem.ts'
import { endlessRows } from './joined-windows.ts'
import { missingSerdes } from './serdes.ts'
import { conflictingSources, tablesOfOneTopic } from './sources.ts'
import { unknownStores } from './stores.ts'
import { unclosedWindows } from './suppressed-windows.ts'
import { missingPasts, pastsNotKept } from './versions.ts'

const checks: readonly Check[] = [
  invalidNames,
  takenNames,
  unnamedState,
  conflictingSources,
  tablesOfOneTopic,
  missingSerdes,
  unknownStores,
  missingPasts,
  pastsNotKept,
  endlessRows,
  unclosedWindows,
]

/**
 * What the logical plan alone shows; partition counts and the like are the compiler's.
 * @throws TopologyError with all problems
 */
export function validate(plan: LogicalPlan): void {
  const problems = checks.flatMap((check) => check(plan))
  if (problems.length > 0) throw new TopologyError(problems)
}
