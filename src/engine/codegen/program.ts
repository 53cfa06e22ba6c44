import { generated } from '../../dsl/generated.ts'
import type { StoreSpec, UserFn } from '../../dsl/plan/index.ts'
import type { Step, SubTopology } from '../plan/physical.ts'
import type { RunBatch } from '../runtime/inputs/feed.ts'
import type { Feed } from '../runtime/inputs/feed.ts'
import type { CurrentRecord } from '../runtime/record.ts'
import type { TaskStores } from '../runtime/steps/stores.ts'
import { functionsOf } from '../runtime/steps/user-functions.ts'
import type { Counter } from '../operators/operator.ts'
import type { TaskMeter } from '../metrics/task-meter.ts'
import type { TaskClock } from '../time/clock.ts'
import { Generator } from './generate.ts'
import { Interpreter, type ProgramEnv } from './interpret.ts'
import { isOperator } from './steps.ts'
import { specialize } from './specialize.ts'
import { JoinTable, KeyValueTable } from '../../state/stores/index.ts'

export interface LinkParts {
  readonly rec: CurrentRecord
  readonly clock: TaskClock
  readonly fail: ProgramEnv['fail']
  readonly ops: Record<number, object>
  readonly strict: boolean
  readonly codegen: boolean
  readonly meter: TaskMeter
  readonly tombstones: (step: Step) => Counter
  readonly keyless: (step: Step) => Counter
}

export interface Linked {
  /** By the id of the input's step. */
  readonly inputs: Record<number, RunBatch>
  /** The same, reading the clock between steps. */
  readonly timed: Record<number, RunBatch>
}

interface Made extends Linked {
  readonly outs: Record<number, unknown>
  readonly lates: Record<number, unknown>
}

/** The generated code of a sub-topology, compiled once a thread, linked once a task. */
export class Program {
  /** The generated source; for people, too. */
  readonly text: string
  private readonly sub: SubTopology
  private readonly make: ((env: object) => Made) | undefined
  private readonly copies = new Map<string, unknown>()
  /** Stores that a record of an input will ask for under its own key. */
  private readonly prefetched: ReadonlyMap<Step, readonly Prefetched[]>

  constructor(sub: SubTopology) {
    this.sub = sub
    this.text = new Generator(sub).text()
    this.make = evaluate(`${this.text}\n//# sourceURL=dhaara:sub-topology-${sub.id}`)
    this.prefetched = new Map(sub.inputs.map((input) => [input, keyedStores(input)]))
  }

  link(parts: LinkParts): Linked {
    const fns: Record<number, readonly UserFn[]> = {}
    const tombstones: Record<number, Counter> = {}
    const keyless: Record<number, Counter> = {}
    for (const step of this.sub.steps) {
      fns[step.id] = functionsOf(step, parts.strict)
      if (step.op.kind !== 'source') continue
      tombstones[step.id] = parts.tombstones(step)
      keyless[step.id] = parts.keyless(step)
    }
    const { rec, clock, fail, ops, meter } = parts
    const env = { rec, clock, fail, ops, fns, meter, tombstones, keyless }
    const made =
      this.make === undefined || !parts.codegen ? new Interpreter(this.sub, env) : this.generated(this.make, env)
    for (const [id, out] of Object.entries(made.outs)) (parts.ops[Number(id)] as { out: unknown }).out = out
    for (const [id, late] of Object.entries(made.lates)) (parts.ops[Number(id)] as { late: unknown }).late = late
    return { inputs: made.inputs, timed: made.timed }
  }

  private generated(make: (env: object) => Made, env: ProgramEnv): Made {
    for (const step of this.sub.steps.filter(isOperator)) {
      specialize(env.ops[step.id] as object, this.copies, step.id)
    }
    return make(env)
  }

  prefetch(feed: Feed, from: number, to: number, stores: TaskStores, meter: TaskMeter): void {
    const { keys, timestamps } = feed.batch
    for (const { store, step, before, after } of this.prefetched.get(feed.step) as readonly Prefetched[]) {
      if (meter.on) meter.to(step)
      const table = stores.tables.get(store)
      if (table instanceof KeyValueTable) table.prefetch(keys, from, to)
      else if (table instanceof JoinTable) table.prefetch(keys, timestamps, from, to, before, after)
    }
    if (meter.on) meter.to(feed.step.id)
  }
}

let warned = false

/** undefined where code generation is switched off (`--disallow-code-generation-from-strings`). */
function evaluate(text: string): ((env: object) => Made) | undefined {
  const made = generated(['env'], text)
  if (made === undefined && !warned) {
    process.emitWarning('code generation is switched off; dhaara interprets its plans, several times slower')
    warned = true
  }
  return made as ((env: object) => Made) | undefined
}

const programs = new WeakMap<SubTopology, Program>()

export function programOf(sub: SubTopology): Program {
  let program = programs.get(sub)
  if (program === undefined) {
    program = new Program(sub)
    programs.set(sub, program)
  }
  return program
}

/**
 * Between two repartitions only key-changing steps change the key, and stateful steps come before those: so they ask for
 * the key that the record came in with, and can be given all rows of a batch at once.
 */
function keyedStores(step: Step): Prefetched[] {
  const found = new Map<string, Prefetched>()
  const visit = (at: Step, port: number) => {
    const { op } = at
    const add = (store: string, before = 0, after = 0) => void found.set(store, { store, step: at.id, before, after })
    if (op.kind === 'selectKey' || op.kind === 'map' || op.kind === 'flatMap' || op.kind === 'tableGroup') return
    // a change of the table goes no further
    if (port === 1 && (op.kind === 'streamGlobalJoin' || op.kind === 'streamTableJoin')) return
    if ('store' in op && op.kind !== 'broadcast' && op.store !== undefined && isRowStore(op.store)) add(op.store.name)
    if (op.kind === 'streamTableJoin') {
      const table = at.inputs[1]?.op
      if (table !== undefined && 'store' in table && table.store !== undefined) add(table.store.name)
    }
    if (op.kind === 'foreignSend' || op.kind === 'foreignJoin') {
      const node = op.kind === 'foreignSend' ? op.node : op
      add(`${node.store?.name ?? node.name}.${op.kind === 'foreignSend' ? 'following' : 'joined'}`)
    }
    if (op.kind === 'streamJoin') {
      const { before, after } = op.windows
      if (at.inputs[0] === at.inputs[1]) add(op.store.name, Math.max(before, after), Math.max(before, after))
      else {
        add(`${op.store.name}.left`, ...(port === 0 ? [] : [after, before]))
        add(`${op.store.name}.right`, ...(port === 1 ? [] : [before, after]))
      }
    }
    for (const edge of at.outputs) visit(edge.to, edge.port)
  }
  visit(step, 0)
  return [...found.values()]
}

const isRowStore = ({ kind }: StoreSpec): boolean => kind === 'keyValue' || kind === 'versioned'

/** A store that records look into, under their key, and for joins so far around their time. */
interface Prefetched {
  readonly store: string
  /** Which looks. */
  readonly step: number
  readonly before: number
  readonly after: number
}
