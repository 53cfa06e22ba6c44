import { DhaaraError } from '../../errors/index.ts'
import { needFunction } from '../checks.ts'
import { type Handle, kindOf, needHandle } from '../handle.ts'
import { present } from '../helpers.ts'
import type { StepOptions } from '../options.ts'
import type { PlanNode } from '../plan/index.ts'
import { storeSpec } from '../stores/index.ts'
import { toMs } from '../time/index.ts'
import { joinWindowVault } from '../windows/index.ts'
import type { StreamJoinOptions, TableJoinOptions } from './types.ts'

export type How = 'inner' | 'left' | 'outer'
const call = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

/** One method, three joins: what the other side is decides how the rest of the arguments is read. */
export function join(at: Handle, how: How, given: unknown, rest: readonly unknown[]): PlanNode {
  const other = needHandle(given, call[how], how === 'outer' ? ['stream'] : ['stream', 'table', 'global table'])
  const kind = kindOf(other)
  if (kind === 'stream') return joinStream(at, how, other, rest)
  if (how === 'outer') throw new DhaaraError('DHAARA_INTERNAL', 'an outer join with a table got through')
  return kind === 'table' ? joinTable(at, how, other, rest) : joinGlobal(at, how, other, rest)
}

function joinStream(at: Handle, how: How, other: Handle, rest: readonly unknown[]): PlanNode {
  const [joiner, windows, opts = {}] = rest as [unknown, unknown, StreamJoinOptions<any, any, any>?]
  const fn = needFunction(joiner, `${call[how]} joiner`)
  const spec = joinWindowVault.open(windows)
  const base = at.draft.step(call[how], [at.node, other.node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'streamJoin',
    table: false,
    how,
    key: opts.key ?? at.node.key,
    joiner: fn,
    windows: spec,
    left: opts.left ?? at.node.value,
    right: opts.right ?? other.node.value,
    store: storeSpec(opts.store, { step: base.name, kind: 'window' }),
  })
}

function joinTable(at: Handle, how: 'inner' | 'left', other: Handle, rest: readonly unknown[]): PlanNode {
  const [joiner, opts = {}] = rest as [unknown, TableJoinOptions<any, any>?]
  const fn = needFunction(joiner, `${call[how]} joiner`)
  const grace = opts.grace === undefined ? undefined : toMs(opts.grace, `${call[how]} grace`)
  const base = at.draft.step(`${call[how]}Table`, [at.node, other.node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'streamTableJoin',
    table: false,
    how,
    key: opts.key ?? at.node.key,
    joiner: fn,
    left: opts.value ?? at.node.value,
    ...present({ grace }),
  })
}

function joinGlobal(at: Handle, how: 'inner' | 'left', other: Handle, rest: readonly unknown[]): PlanNode {
  const [lookup, joiner, opts = {}] = rest as [unknown, unknown, StepOptions?]
  const find = needFunction(lookup, `${call[how]} lookup`)
  const fn = needFunction(joiner, `${call[how]} joiner`)
  const base = at.draft.step(`${call[how]}Global`, [at.node, other.node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'streamGlobalJoin',
    table: false,
    how,
    key: at.node.key,
    lookup: find,
    joiner: fn,
  })
}
