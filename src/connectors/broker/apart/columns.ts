import type { RemoteRows } from '../remote.ts'

/** A copy of the columns in memory that nothing else lies in, so that it can be handed to another thread. */
export function copyColumns(rows: RemoteRows): { columns: RemoteRows; memory: ArrayBuffer[] } {
  const { headers } = rows
  const columns = {
    ...rows,
    // a Buffer's slice is another view of the same memory
    data: new Uint8Array(rows.data) as Buffer,
    keyStart: rows.keyStart.slice(),
    keyEnd: rows.keyEnd.slice(),
    valueStart: rows.valueStart.slice(),
    valueEnd: rows.valueEnd.slice(),
    timestamps: rows.timestamps.slice(),
    // a copy each: to clone a view is to clone all of the memory behind it
    ...(headers === undefined
      ? {}
      : { headers: headers.map((one) => one?.map(([name, value]) => [name, new Uint8Array(value)] as const)) }),
  }
  const { data, keyStart, keyEnd, valueStart, valueEnd, timestamps } = columns
  const memory = [data, keyStart, keyEnd, valueStart, valueEnd, timestamps].map(({ buffer }) => buffer as ArrayBuffer)
  return { columns, memory }
}
