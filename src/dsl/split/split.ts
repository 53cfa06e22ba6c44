import { DhaaraError } from '../../errors/index.ts'
import { needFunction } from '../checks.ts'
import type { Handle } from '../handle.ts'
import type { StepOptions } from '../options.ts'
import type { UserFn } from '../plan/index.ts'
import type { KStream } from '../stream/types.ts'
import { show } from '../vault.ts'

interface Branch {
  readonly name: string
  readonly predicate: UserFn
}
type Branches = Readonly<Record<string, KStream<any, any>>>

/** Collects the branches; the plan's nodes come with `default` or `noDefault`, when all are known. */
export class SplitSteps {
  private readonly at: Handle
  private readonly opts: StepOptions
  private readonly branches: readonly Branch[]

  constructor(at: Handle, opts: StepOptions, branches: readonly Branch[] = []) {
    this.at = at
    this.opts = opts
    this.branches = branches
  }

  branch(name: string, predicate: unknown): SplitSteps {
    const fn = needFunction(predicate, `branch ${show(name)}`)
    return new SplitSteps(this.at, this.opts, [...this.branches, { name: this.free(name), predicate: fn }])
  }

  default(name: string): Branches {
    return this.finish([...this.branches.map((branch) => branch.name), this.free(name)])
  }

  noDefault(): Branches {
    return this.finish(this.branches.map((branch) => branch.name))
  }

  private free(name: string): string {
    if (typeof name === 'string' && name !== '' && !this.branches.some((branch) => branch.name === name)) return name
    throw new DhaaraError(
      'DHAARA_NAME_TAKEN',
      `split: found the branch name ${show(name)}, expected one of its own; rename it`,
    )
  }

  private finish(names: readonly string[]): Branches {
    const { draft, node } = this.at
    const serdes = { table: false, key: node.key, value: node.value }
    const predicates = this.branches.map((branch) => branch.predicate)
    const split = draft.add({ ...draft.step('split', [node], this.opts.name), kind: 'split', ...serdes, predicates })
    const out: Record<string, KStream<any, any>> = {}
    for (const [index, name] of names.entries()) {
      out[name] = draft.stream(draft.add({ ...draft.branch(name, split), kind: 'branch', ...serdes, index }))
    }
    return Object.freeze(out)
  }
}
