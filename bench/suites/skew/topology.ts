import { serdes, StreamsBuilder, sum, type Topology } from '../../../src/index.ts'

export interface Sale {
  readonly shop: string
  readonly rupees: number
}

/** Sums by shop, behind a change of key: `--set phases=2` adds up before the repartition. */
export default ({ settings }: { readonly settings: Readonly<Record<string, string>> }): Topology => {
  const builder = new StreamsBuilder()
  builder
    .stream('sales', { value: serdes.json<Sale>() })
    .groupBy((sale) => sale.shop)
    .aggregate(
      sum((sale) => sale.rupees),
      { store: 'sums', twoPhase: settings['phases'] === '2' },
    )
  return builder.build()
}
