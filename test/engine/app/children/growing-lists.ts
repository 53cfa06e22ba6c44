import { serdes, StreamsBuilder } from '../../../../src/index.ts'

/** All words of a key so far, with each record: rows that repeat each other. */
const builder = new StreamsBuilder()
builder
  .stream('words', { key: serdes.string(), value: serdes.json<string>() })
  .groupByKey()
  .aggregate(
    () => [] as string[],
    (list, word) => {
      list.push(word)
      return list
    },
  )
  .toStream()
  .to('lists', { key: serdes.string(), value: serdes.json() })

export default builder.build()
