/** State that grows with the keys that it has seen. */
import { StreamsBuilder, serdes } from '../../src/index.ts'

const builder = new StreamsBuilder()
builder
  .stream('visits', { key: serdes.string(), value: serdes.json<{ page: string }>() })
  .groupByKey()
  .aggregate(
    () => ({ visits: 0, pages: '' }),
    (visitor, { page }) => ({ visits: visitor.visits + 1, pages: `${visitor.pages} ${page}`.slice(-60) }),
    { store: 'visitors' },
  )
  .toStream()
  .filter(({ visits }) => visits % 100 === 0)
  .to('regulars', { value: serdes.json() })

export default builder.build()
