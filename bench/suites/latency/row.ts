/** Rows of the output, as numbers that go from thread to thread without an object each. */

/** In the order in which the topology writes them. */
export const columns = ['customer', 'count', 'due', 'sent', 'applied'] as const

export type Row = Readonly<Record<(typeof columns)[number], number>>

/** So many rows, one behind the other. */
export const rowMemory = (rows: number): Float64Array => new Float64Array(rows * columns.length)

export function putRow(into: Float64Array, index: number, text: string): void {
  const row = JSON.parse(text) as Row
  for (let i = 0; i < columns.length; i++)
    into[index * columns.length + i] = row[columns[i] as (typeof columns)[number]]
}
