import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import { brief, Json } from '../../ui/Json.tsx'
import { columnsOf, type Row } from './query.ts'
import type { Rows } from './use-rows.ts'

/** Rows as a table: a column for each field where the values have fields. A row opens to its whole value. */
export function RowTable({ rows: { rows, fresh, loading } }: { rows: Rows }) {
  const [open, setOpen] = useState<string>()
  const columns = columnsOf(rows)
  if (rows.length === 0)
    return (
      <p class="empty">{loading ? 'Asking' : 'No row fits. Nothing has been written, or the key is another one.'}</p>
    )
  return (
    <div class="scroll">
      <table class="rows">
        <thead>
          <tr>
            <th>key</th>
            {columns === undefined ? <th>value</th> : columns.map((name) => <th key={name}>{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const id = JSON.stringify(row.key)
            const opened = open === id
            return (
              <Fragment key={id}>
                <tr
                  key={`${id} ${fresh.get(id) ?? ''}`}
                  class={`${fresh.has(id) ? 'fresh' : ''} ${opened ? 'opened-row' : ''}`}
                  tabIndex={0}
                  onClick={() => setOpen(opened ? undefined : id)}
                  onKeyDown={(event) => {
                    if (event.key === 'Enter') setOpen(opened ? undefined : id)
                  }}
                >
                  <th title={brief(id)}>{brief(row.key)}</th>
                  <Cells row={row} columns={columns} />
                </tr>
                {opened && (
                  <tr class="detail">
                    <td colSpan={1 + (columns?.length ?? 1)}>
                      <Json value={row} />
                    </td>
                  </tr>
                )}
              </Fragment>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function Cells({ row, columns }: { row: Row; columns: readonly string[] | undefined }) {
  if (columns === undefined) return <Cell value={row.value} />
  const fields = row.value as Readonly<Record<string, unknown>>
  return (
    <>
      {columns.map((name) => (
        <Cell key={name} value={fields[name]} />
      ))}
    </>
  )
}

function Cell({ value }: { value: unknown }) {
  const number = typeof value === 'number'
  return (
    <td class={number ? 'number' : ''}>
      {value === undefined ? '' : number ? value.toLocaleString('en-US') : brief(value)}
    </td>
  )
}
