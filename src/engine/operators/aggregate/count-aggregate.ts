import type { AggregateSpec, EmitSpec } from '../../../dsl/plan/index.ts'
import { type Cell, Cells, type DueTable, type Entry } from '../../../state/stores/index.ts'
import { CellAggregate } from './cell-aggregate.ts'
import type { OperatorContext } from '../operator.ts'

/**
 * Windows of n records of a key, in order of arrival: [0, n), [n, 2n), … number its records. No time closes them, nothing
 * is late; a window is forgotten when it is full, and under `every` once its last row is out.
 */
export class CountAggregate extends CellAggregate {
  private readonly size: number

  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    records: number,
    emit: EmitSpec,
    table: DueTable<Cells>,
    needsOld: boolean,
    ctx: OperatorContext,
  ) {
    super(stepId, name, spec, emit, table, needsOld, ctx)
    this.size = records
  }

  protected take(entry: Entry, value: unknown, ts: number, port: number): void {
    const row = (entry.value as Cells | undefined) ?? new Cells()
    const { cells, marks } = row
    const number = marks[0] ?? 0
    const start = number - (number % this.size)
    let cell = cells.at(-1)
    const fresh = cell === undefined || cell.start !== start
    if (cell === undefined || fresh) {
      cell = {
        start,
        state: undefined,
        ts: Number.NEGATIVE_INFINITY,
        pending: false,
        out: false,
        shown: undefined,
        ghost: false,
      }
      cells.push(cell)
    }
    this.update(cell, entry.key, value, ts, port, fresh)
    marks[0] = number + 1
    if (this.mode === 'update' && number + 1 === start + this.size) cells.pop()
    this.keep(entry, row, ts)
  }

  endOf({ start }: Cell): number {
    return start + this.size
  }

  protected showAt({ ts }: Cell): number {
    return this.mode === 'every' ? this.tickAfter(ts) : Number.POSITIVE_INFINITY
  }

  protected forgetAt(): number {
    return Number.POSITIVE_INFINITY
  }

  /** Windows that are full and shown go. */
  protected trim(row: Cells): number {
    const open = (row.marks[0] as number) - ((row.marks[0] as number) % this.size)
    while (row.cells.length > 0 && (row.cells[0] as Cell).start < open && !(row.cells[0] as Cell).pending)
      row.cells.shift()
    return Number.POSITIVE_INFINITY
  }
}
