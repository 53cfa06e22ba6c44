import { StreamsBuilder, serdes } from '../../../../src/index.ts'

/** One row a key, and a row out for each: state and output grow with every record. */
export interface Visit {
  readonly page: string
  readonly note: string
}

const builder = new StreamsBuilder()
const visits = builder.stream('visits', { key: serdes.string(), value: serdes.json<Visit>() }).groupByKey()
visits
  .aggregate(
    () => ({ pages: [] as string[], note: '' }),
    (row, { page, note }) => {
      row.pages.push(page)
      row.note = note
      return row
    },
  )
  .toStream()
  .to('visitors', { key: serdes.string(), value: serdes.json() })

export default builder.build()
