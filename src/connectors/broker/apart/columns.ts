import type { RemoteRows } from '../remote.ts'

/**
 * Columns in memory that nothing else lies in, so that it can be handed to another thread.
 * @param keep the rows' own memory is used again: all is copied
 */
export function ownColumns<R extends RemoteRows>(rows: R, keep = false): { columns: R; memory: ArrayBuffer[] } {
  const { headers } = rows
  const own = keep ? copyOf : ownOf
  const columns = {
    ...rows,
    data: own(rows.data),
    keyStart: own(rows.keyStart),
    keyEnd: own(rows.keyEnd),
    valueStart: own(rows.valueStart),
    valueEnd: own(rows.valueEnd),
    timestamps: own(rows.timestamps),
    ...('offsets' in rows ? { offsets: own(rows.offsets as Float64Array) } : {}),
    // a copy each: to clone a view is to clone all of the memory behind it
    ...(headers === undefined
      ? {}
      : { headers: headers.map((one) => one?.map(([name, value]) => [name, new Uint8Array(value)] as const)) }),
  }
  const parts = [columns.data, columns.keyStart, columns.keyEnd, columns.valueStart, columns.valueEnd]
  const memory = [...parts, columns.timestamps, ...('offsets' in columns ? [columns.offsets as Float64Array] : [])]
  return { columns, memory: [...new Set(memory.map(({ buffer }) => buffer as ArrayBuffer))] }
}

type Column = Uint8Array | Int32Array | Float64Array

const ownOf = <T extends Column>(view: T): T => (view.byteLength === view.buffer.byteLength ? view : copyOf(view))

function copyOf<T extends Column>(view: T): T {
  // a Buffer's slice is another view of the same memory
  if (view instanceof Uint8Array) return new Uint8Array(view) as T
  return view.slice() as T
}
