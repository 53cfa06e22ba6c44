import { serdes, StreamsBuilder } from '../../../../src/index.ts'

export default ({ settings }: { readonly settings: Readonly<Record<string, string>> }) => {
  const builder = new StreamsBuilder()
  builder
    .stream(/^orders-/, {
      key: serdes.string(),
      value: serdes.json<number>(),
      offsetReset: settings['reset'] === 'latest' ? 'latest' : 'earliest',
    })
    .groupBy((_, key) => key as string)
    .aggregate(
      () => [] as number[],
      (all, n) => [...all, n],
    )
    .toStream()
    .to('seen', { key: serdes.string(), value: serdes.json() })
  return builder.build()
}
