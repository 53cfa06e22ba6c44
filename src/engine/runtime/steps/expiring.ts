import type { ExpiringTable } from '../../../state/stores/index.ts'
import type { EmitChange, OperatorContext } from '../../operators/operator.ts'
import { Expiry } from '../../operators/table/expiry.ts'
import type { WallClock } from '../../time/wall.ts'
import type { TaskStores } from './stores.ts'
import type { UserCode } from './user-code.ts'

interface Expiring {
  readonly ctx: OperatorContext
  readonly wall: WallClock
  readonly stores: TaskStores
  readonly code: UserCode
  readonly ops: Readonly<Record<number, object>>
}

/** Has the rows of a table with a time to live deleted when it is over: their step tells that they are gone. */
export function expire(name: string, table: ExpiringTable, { ctx, wall, stores, code, ops }: Expiring): void {
  const owner = code.ownerOf(name)
  const byWall = stores.spec(name)?.ttlClock === 'wall'
  const clock = byWall ? ctx.wallTime.clock : ctx.clock
  const expiry = new Expiry(owner?.id ?? -1, table, clock, (key, row, at) => {
    if (owner === undefined) return
    const { op, needsOld } = owner
    const shown = 'spec' in op && op.spec.result !== undefined ? op.spec.result(row) : row
    ;(ops[owner.id] as { out: EmitChange }).out(key, null, needsOld ? shown : undefined, at)
  })
  if (!byWall) {
    table.onArmed = (at) => ctx.clock.notice(at)
    ctx.clock.add(expiry)
    return
  }
  table.writtenAt = () => wall.now()
  table.onArmed = (at) => {
    ctx.wallTime.clock.notice(at)
    ctx.wallTime.leave()
  }
  ctx.wallTime.add(expiry)
}
